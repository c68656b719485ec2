/**
 * Loaded before tests: properties of fast-check have one seed in every run, so that what fails fails for whoever made it, and not one
 * day for somebody else. Longer searches (SALLYPORT_TEST_RUNS) have another seed; `node --test FILE` has a new one each time.
 */
import { runs } from "@sallyport/testkit/runs";
import fc from "fast-check";

fc.configureGlobal({ seed: runs(7), numRuns: runs(100) });
