/** The version of this build. */
import manifest from "../package.json" with { type: "json" };

/** Semantic version, the same for every package. */
export const VERSION: string = manifest.version;
