// Valid messages with a few bytes changed: the near misses on which parsers disagree.
import { HOST } from "../protocol/case.ts";
import { below, pick } from "@sallyport/testkit/random";

const SEEDS = [
  `GET /a/b?c=d HTTP/1.1\r\nHost: ${HOST}\r\nX-Foo: bar\r\nAccept: */*\r\n\r\n`,
  `POST /p HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 11\r\nContent-Type: text/plain\r\n\r\nhello world`,
  `POST /c HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`,
  `PUT /t HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: ${HOST}\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`,
  `GET /1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\nGET /2 HTTP/1.1\r\nHost: ${HOST}\r\nCookie: a=b\r\n\r\n`,
  `POST /e HTTP/1.1\r\nHost: ${HOST}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `OPTIONS * HTTP/1.1\r\nHost: ${HOST}\r\nConnection: keep-alive, x-foo\r\nX-Foo: a\r\n\r\n`,
  `DELETE http://b.test/x HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 0\r\n\r\n`,
] as const;

const CHARACTERS = [
  "\0",
  "\t",
  "\n",
  "\r",
  "\r\n",
  " ",
  "  ",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\xff",
  ":",
  ";",
  ",",
  "/",
  "//",
  "%",
  "%2f",
  "%00",
  "#",
  "?",
  "@",
  "\\",
  "_",
  "-",
  "+",
  "0",
  "1",
  "5",
  "f",
  "g",
  "x",
  "'",
  '"',
  "[",
  "]",
  "\u00a0",
  "\r\n ",
  "\n\n",
  "\r\n\r\n",
] as const;

const LINES = [
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n",
  "Host: b.test\r\n",
  "Connection: close\r\n",
  "Connection: content-length\r\n",
  "Expect: 100-continue\r\n",
  "X-Long: " + "y".repeat(2000) + "\r\n",
  " folded\r\n",
  "Upgrade: h2c\r\n",
  "X-Foo : bar\r\n",
  "\r\n",
] as const;

type Mutation = (random: () => number, text: string) => string;

const place = (random: () => number, text: string): number => below(random, text.length + 1);
const splice = (text: string, at: number, remove: number, add: string): string =>
  text.slice(0, at) + add + text.slice(at + remove);

const MUTATIONS: readonly [Mutation, ...Mutation[]] = [
  (random, text) => splice(text, place(random, text), 1, ""),
  (random, text) => splice(text, place(random, text), 0, pick(random, CHARACTERS)),
  (random, text) => splice(text, place(random, text), 1, pick(random, CHARACTERS)),
  (random, text) => splice(text, place(random, text), 1, String.fromCharCode(below(random, 256))),
  (random, text) => {
    const at = place(random, text);
    return splice(text, at, 0, text.slice(at, at + 1 + below(random, 12)));
  },
  (random, text) => {
    const ends = [...text.matchAll(/\r\n/g)].map((match) => match.index + 2);
    return splice(text, ends[below(random, ends.length)] ?? 0, 0, pick(random, LINES));
  },
  (random, text) => {
    const letters = [...text.matchAll(/[A-Za-z]/g)].map((match) => match.index);
    const at = letters[below(random, letters.length)] ?? 0;
    const letter = text.charAt(at);
    return splice(text, at, 1, letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase());
  },
  (random, text) => {
    const digits = [...text.matchAll(/[0-9]/g)].map((match) => match.index);
    return splice(text, digits[below(random, digits.length)] ?? 0, 1, String(below(random, 10)));
  },
];

/** A valid message with one to three mutations. */
export function mutated(random: () => number): string {
  let text: string = pick(random, SEEDS);
  for (let count = 1 + below(random, 3); count > 0; count -= 1) text = pick(random, MUTATIONS)(random, text);
  return text;
}
