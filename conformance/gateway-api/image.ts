// Sallyport's image as a folder: exactly the files that the Dockerfile copies into its last stage, and of the base image what
// Node is linked with. There is no shell in it, as there is none in the real one.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ImageCopy, type ImageRecipe, parseDockerfile } from "./dockerfile.ts";

const repository = dirname(dirname(import.meta.dirname));

/** An image: its files, and what runs. */
export interface AssembledImage {
  readonly rootfs: string;
  readonly entrypoint: readonly string[];
  readonly user: ImageRecipe["user"];
}

/** What the repository's Dockerfile makes. */
export function readRecipe(): ImageRecipe {
  return parseDockerfile(readFileSync(join(repository, "Dockerfile"), "utf8"));
}

/** Sources of the image that are not there; `npm run build` makes them. */
export function missingSources({ copies }: ImageRecipe): readonly string[] {
  return copies.map(({ source }) => source).filter((source) => !existsSync(join(repository, source)));
}

/** Makes the folder anew. Throws where a file is missing. */
export function assembleImage(rootfs: string): AssembledImage {
  const recipe = readRecipe();
  const missing = missingSources(recipe);
  if (missing.length > 0) throw new Error(`the image lacks ${missing.join(", ")}; \`npm run build\` makes dist/`);
  rmSync(rootfs, { recursive: true, force: true });
  for (const copy of recipe.copies) copyInto(rootfs, copy);
  addBase(rootfs, recipe);
  return { rootfs, entrypoint: recipe.entrypoint, user: recipe.user };
}

function copyInto(rootfs: string, { source, target }: ImageCopy): void {
  const from = join(repository, source);
  const folder = statSync(from).isDirectory();
  const to = join(rootfs, target.endsWith("/") && !folder ? `${target}${basename(source)}` : target);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true });
}

/** Of the base image: libraries of Node with the loader, the user's name, and the folders that containers expect. */
function addBase(rootfs: string, { entrypoint, user }: ImageRecipe): void {
  const program = join(rootfs, entrypoint[0] ?? "");
  for (const [library] of execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/\/\S+\.so\S*/g)) {
    const to = join(rootfs, library);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(realpathSync(library), to);
  }
  for (const folder of ["etc", "tmp", "proc", "sys", "dev", "var/run"])
    mkdirSync(join(rootfs, folder), { recursive: true });
  chmodSync(join(rootfs, "tmp"), 0o1777);
  writeFileSync(join(rootfs, "etc/passwd"), `nonroot:x:${user.uid}:${user.gid}:nonroot:/:/sbin/nologin\n`);
  writeFileSync(join(rootfs, "etc/nsswitch.conf"), "hosts: files dns\n");
}
