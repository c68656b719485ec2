// Images of a cluster: directories of files and what to run of them, found by reference; nothing is ever pulled.
import { createHash, randomUUID } from "node:crypto";
import { chmod, cp, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** An image, as its configuration would describe it. */
export interface ImageDescription {
  /** A directory whose content is the root. It is copied. */
  readonly directory?: string;
  /** More files by their absolute path in the image: a file or directory to copy, or text. */
  readonly files?: Readonly<Record<string, { readonly copy: string } | { readonly text: string }>>;
  /** Whether the machine's own files lie under the image's: for programs that need its libraries. */
  readonly onMachine?: boolean;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `UID` or `UID:GID`; root by default. */
  readonly user?: string;
  readonly workingDirectory?: string;
}

const COPY = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true } as const;

/**
 * Makes an image known below a cluster's directory of images. A reference without a tag stands for all tags that are not
 * known by themselves. Containers that run keep the files they have.
 */
export async function writeImage(images: string, reference: string, image: ImageDescription): Promise<void> {
  const id = createHash("sha256").update(reference).digest("hex").slice(0, 16);
  const root = join(images, `${id}-${randomUUID().slice(0, 8)}`);
  await mkdir(root, { recursive: true });
  if (image.directory !== undefined) await cp(image.directory, root, COPY);
  for (const [path, content] of Object.entries(image.files ?? {})) await writeImageFile(join(root, path), content);
  const description = {
    reference,
    directory: root,
    onMachine: image.onMachine ?? false,
    entrypoint: image.entrypoint ?? [],
    command: image.command ?? [],
    env: Object.entries(image.env ?? {}).map(([name, value]) => `${name}=${value}`),
    user: image.user ?? "",
    workingDirectory: image.workingDirectory ?? "",
  };
  const draft = join(root, "..", `${id}.draft`);
  await writeFile(draft, JSON.stringify(description));
  await rename(draft, join(images, `${id}.json`));
}

async function writeImageFile(path: string, content: { copy: string } | { text: string }): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ("copy" in content) {
    await cp(content.copy, path, COPY);
    return;
  }
  await writeFile(path, content.text);
  await chmod(path, 0o644);
}
