// What the last stage of a Dockerfile says: which files the image is made of, and how its container runs. It reads the
// instructions that our Dockerfile uses, and refuses others rather than skip what would change the image.

/** A file or a folder of the build, and where it goes in the image. */
export interface ImageCopy {
  /** Relative to the repository, without a slash at the end. */
  readonly source: string;
  /** Absolute path; ends in a slash where it is a folder that takes the source in. */
  readonly target: string;
}

/** The last stage. */
export interface ImageRecipe {
  readonly copies: readonly ImageCopy[];
  readonly entrypoint: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
}

/** Folder of the build stage that is the repository. */
const SOURCE_ROOT = "/src/";
/** Nothing of the image depends on these. */
const WITHOUT_EFFECT = new Set(["LABEL", "HEALTHCHECK", "WORKDIR"]);

/** Reads it. Throws where the last stage has an instruction that is not understood, or lacks one. */
export function parseDockerfile(text: string): ImageRecipe {
  const instructions = readInstructions(text);
  const last = instructions.findLastIndex(({ name }) => name === "FROM");
  const copies: ImageCopy[] = [];
  let entrypoint: readonly string[] = [];
  let user: ImageRecipe["user"] | undefined;
  for (const { name, rest } of instructions.slice(last + 1)) {
    if (name === "COPY") copies.push(...parseCopy(rest));
    else if (name === "ENTRYPOINT") entrypoint = parseWords(rest);
    else if (name === "USER") user = parseUser(rest);
    else if (!WITHOUT_EFFECT.has(name)) throw new Error(`Dockerfile: ${name} in the last stage is not understood`);
  }
  if (copies.length === 0 || entrypoint.length === 0 || user === undefined) {
    throw new Error("Dockerfile: the last stage needs COPY, ENTRYPOINT and USER");
  }
  return { copies, entrypoint, user };
}

function readInstructions(text: string): { name: string; rest: string }[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^\s*(\w+)\s*(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest };
    });
}

function parseCopy(rest: string): ImageCopy[] {
  const words = rest.split(/\s+/);
  const target = words.at(-1) ?? "";
  const sources = words.slice(1, -1);
  if (words[0] !== "--from=build" || sources.length === 0 || !target.startsWith("/")) {
    throw new Error(`Dockerfile: COPY ${rest}: want --from=build SOURCE... /TARGET`);
  }
  return sources.map((source) => {
    if (!source.startsWith(SOURCE_ROOT)) throw new Error(`Dockerfile: COPY ${source}: not below ${SOURCE_ROOT}`);
    return { source: source.slice(SOURCE_ROOT.length).replace(/\/$/, ""), target };
  });
}

function parseWords(rest: string): readonly string[] {
  const words: unknown = JSON.parse(rest);
  if (!Array.isArray(words)) throw new Error(`Dockerfile: ENTRYPOINT ${rest}: want the form of a list`);
  return words.map(String);
}

function parseUser(rest: string): ImageRecipe["user"] {
  const [, uid = "", gid = ""] = /^(\d+):(\d+)$/.exec(rest) ?? [];
  if (uid === "") throw new Error(`Dockerfile: USER ${rest}: want numbers, so that runAsNonRoot can be judged`);
  return { uid: Number(uid), gid: Number(gid) };
}
