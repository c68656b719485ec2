/** What becomes of a client that ends before it asked for anything, as health checks do. */
import type { Socket } from "node:net";

/** Closes the socket; to be given to its event `end`, one function for all. */
export function closeUnserved(this: Socket): void {
  this.destroy();
}
