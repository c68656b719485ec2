// Finds the end of an HTTP/1.1 answer in the bytes of a connection, as cheaply as a load generator needs it: only answers
// with a Content-Length, no pipelining. Anything else is an error, so that nothing uncounted slips through.

/** What the bytes received so far amount to. */
export type AnswerProgress =
  | { readonly kind: "more" }
  | { readonly kind: "complete"; readonly status: number }
  | { readonly kind: "invalid"; readonly reason: string };

const more: AnswerProgress = { kind: "more" };

/** Reads one answer after another from one connection. */
export class AnswerReader {
  #head = "";
  #status = 0;
  #bodyLeft = -1;

  /** Takes the next bytes; the buffer may be reused afterwards. */
  push(bytes: Buffer): AnswerProgress {
    if (this.#bodyLeft >= 0) return this.#consumeBody(bytes.length);
    const before = this.#head.length;
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if (end < 0) return more;
    const head = this.#head.slice(0, end);
    const received = this.#head.length - end - 4;
    this.#head = "";
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(status) || Number.isNaN(length)) return invalid(`no status or no Content-Length in ${head}`);
    this.#status = status;
    this.#bodyLeft = length;
    return this.#consumeBody(received);
  }

  #consumeBody(received: number): AnswerProgress {
    if (received > this.#bodyLeft) return invalid(`${received - this.#bodyLeft} bytes after the answer`);
    this.#bodyLeft -= received;
    if (this.#bodyLeft > 0) return more;
    this.#bodyLeft = -1;
    return { kind: "complete", status: this.#status };
  }
}

function invalid(reason: string): AnswerProgress {
  return { kind: "invalid", reason };
}
