// A directory for the files of one test, removed with everything in it when the test is over.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A directory that goes away with `using` or `close`. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  /** Absolute path of a name below it. */
  file(name: string): string;
  /** Writes a file below it as editors do, by renaming a complete one into place; makes the folders on the way. */
  write(name: string, content: string | Uint8Array): string;
  /** Removes it; a second call does nothing. */
  close(): void;
}

/** Makes a directory, with these files (name to content) in it. */
export function openTemporaryDirectory(files: Readonly<Record<string, string>> = {}): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), "sallyport-"));
  const directory: TemporaryDirectory = {
    path,
    file: (name) => join(path, name),
    write(name, content) {
      const target = join(path, name);
      mkdirSync(dirname(target), { recursive: true });
      const draft = join(dirname(target), `.${crypto.randomUUID()}.draft`);
      writeFileSync(draft, content);
      renameSync(draft, target);
      return target;
    },
    close: () => rmSync(path, { recursive: true, force: true }),
    [Symbol.dispose]: () => directory.close(),
  };
  for (const [name, content] of Object.entries(files)) directory.write(name, content);
  return directory;
}
