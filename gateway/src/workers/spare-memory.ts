/**
 * Gives memory back that starting took and running does not need: garbage of parsing and translating, the code that did it,
 * and the young generation grown meanwhile. V8 would keep all of it, because an idle proxy never allocates enough to make
 * it collect.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects everything there is to collect in this isolate and returns free pages to the system. It stops the thread for
 * tens of milliseconds and is for moments without traffic. Where this Node offers no collector, nothing happens.
 */
export function returnSpareMemory(): void {
  // A context made under the flag has the collector as a global; the context is garbage itself, and goes with the rest.
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  // Unlike a plain collection, the last resort also shrinks the young generation and drops code that ran once.
  if (typeof collect === "function") Reflect.apply(collect, undefined, [{ type: "major", flavor: "last-resort" }]);
}
