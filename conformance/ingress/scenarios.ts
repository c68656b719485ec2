// The path rules of the retired suite kubernetes-sigs/ingress-controller-conformance, as data: which Ingress, and what must
// become of which request. They follow the table of examples in the documentation of Ingress.
import type { PathRule } from "./cluster.ts";

/** A request, and the service that must answer it; `undefined`: 404. */
export interface PathCase {
  readonly path: string;
  readonly service: string | undefined;
}

/** One scenario. */
export interface PathScenario {
  readonly name: string;
  readonly rules: readonly PathRule[];
  readonly cases: readonly PathCase[];
}

const exact = (path: string, service = "one"): PathRule => ({ path, type: "Exact", service });
const prefix = (path: string, service = "one"): PathRule => ({ path, type: "Prefix", service });

/** Sixteen of them. */
export const PATH_SCENARIOS: readonly PathScenario[] = [
  {
    name: "an exact path matches itself",
    rules: [exact("/exact")],
    cases: [{ path: "/exact", service: "one" }],
  },
  {
    name: "an exact path does not match another",
    rules: [exact("/exact")],
    cases: [
      { path: "/other", service: undefined },
      { path: "/", service: undefined },
      { path: "/exact/below", service: undefined },
    ],
  },
  {
    name: "an exact path does not match with a slash at its end",
    rules: [exact("/exact")],
    cases: [{ path: "/exact/", service: undefined }],
  },
  {
    name: "an exact path with a slash at its end does not match without",
    rules: [exact("/exact/")],
    cases: [
      { path: "/exact", service: undefined },
      { path: "/exact/", service: "one" },
    ],
  },
  {
    name: "an exact path is case sensitive",
    rules: [exact("/exact")],
    cases: [{ path: "/EXACT", service: undefined }],
  },
  {
    name: "the prefix / matches every path",
    rules: [prefix("/")],
    cases: [
      { path: "/", service: "one" },
      { path: "/any", service: "one" },
      { path: "/any/path/below", service: "one" },
    ],
  },
  {
    name: "a prefix matches itself",
    rules: [prefix("/prefix")],
    cases: [{ path: "/prefix", service: "one" }],
  },
  {
    name: "a prefix matches with a slash at the end of the request's path",
    rules: [prefix("/prefix")],
    cases: [{ path: "/prefix/", service: "one" }],
  },
  {
    name: "a prefix with a slash at its end matches with and without",
    rules: [prefix("/prefix/")],
    cases: [
      { path: "/prefix", service: "one" },
      { path: "/prefix/", service: "one" },
    ],
  },
  {
    name: "a prefix matches what is below it",
    rules: [prefix("/aaa/bbb")],
    cases: [
      { path: "/aaa/bbb", service: "one" },
      { path: "/aaa/bbb/ccc", service: "one" },
    ],
  },
  {
    name: "a prefix is compared element by element, not as a string",
    rules: [prefix("/aaa/bbb")],
    cases: [
      { path: "/aaa/bbbxyz", service: undefined },
      { path: "/aaa/bb", service: undefined },
      { path: "/aaa", service: undefined },
    ],
  },
  {
    name: "a prefix is case sensitive",
    rules: [prefix("/prefix")],
    cases: [{ path: "/PREFIX", service: undefined }],
  },
  {
    name: "the longer of two prefixes wins",
    rules: [prefix("/aaa", "one"), prefix("/aaa/bbb", "two")],
    cases: [
      { path: "/aaa/ccc", service: "one" },
      { path: "/aaa/bbb", service: "two" },
      { path: "/aaa/bbb/ccc", service: "two" },
      { path: "/ccc", service: undefined },
    ],
  },
  {
    name: "a longer prefix wins over /, whatever the order",
    rules: [prefix("/", "one"), prefix("/aaa", "two"), prefix("/aaa/bbb", "three")],
    cases: [
      { path: "/aaa/bbb/ccc", service: "three" },
      { path: "/aaa/ccc", service: "two" },
      { path: "/ccc", service: "one" },
    ],
  },
  {
    name: "an exact path wins over the same prefix",
    rules: [prefix("/same", "one"), exact("/same", "two")],
    cases: [
      { path: "/same", service: "two" },
      { path: "/same/", service: "one" },
      { path: "/same/below", service: "one" },
    ],
  },
  {
    name: "exact paths and prefixes of one host stand beside each other",
    rules: [exact("/exact", "one"), prefix("/prefix", "two"), exact("/prefix/exact", "three")],
    cases: [
      { path: "/exact", service: "one" },
      { path: "/exact/below", service: undefined },
      { path: "/prefix/below", service: "two" },
      { path: "/prefix/exact", service: "three" },
      { path: "/prefix/exact/below", service: "two" },
    ],
  },
];
