/** The objects of a shop that is started to try something: a copy of the example's in a directory of its own, on free ports. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const objects = fileURLToPath(new URL("objects/", import.meta.url));
const mechanisms = fileURLToPath(new URL("mechanisms/", import.meta.url));

/** A directory that a gateway serves. */
export class Configuration {
  readonly directory: string;
  readonly #ports: ReadonlyMap<number, number>;

  /** Copies the example; `ports` are where its instances really are, by the ports that its files name. */
  constructor(ports: ReadonlyMap<number, number>) {
    this.#ports = ports;
    this.directory = mkdtempSync(join(tmpdir(), "sallyport-shop-"));
    for (const name of readdirSync(objects)) this.write(name, this.original(name));
  }

  /** What a file was at first. */
  original(name: string): string {
    return this.#move(readFileSync(join(objects, name), "utf8"));
  }

  /** The objects of a mechanism. */
  mechanism(name: string): string {
    return this.#move(readFileSync(join(mechanisms, `${name}.yaml`), "utf8"));
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), "utf8");
  }

  /** Replaces a file as a whole, as editors do. */
  write(name: string, text: string): void {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  remove(name: string): void {
    rmSync(join(this.directory, name));
  }

  /** Names of the files that are not what they were at first. */
  changed(): readonly string[] {
    return readdirSync(objects).filter((name) => this.read(name) !== this.original(name));
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The same text with the ports that instances have here: 9411 is one, 19411 is none. */
  #move(text: string): string {
    return text.replaceAll(/\b94\d\d\b/g, (port) => String(this.#ports.get(Number(port)) ?? port));
  }
}
