/** Integers and strings of HPACK (RFC 7541 section 5) as latin1 text, the form in which blocks are put together. */
import { encodeHuffman, huffmanLength } from "./huffman.ts";

/** An integer behind the bits of `pattern`; `mask` are the bits of its first octet. */
export function encodeInteger(value: number, mask: number, pattern: number): string {
  if (value < mask) return String.fromCharCode(pattern | value);
  let text = String.fromCharCode(pattern | mask);
  let rest = value - mask;
  for (; rest > 127; rest >>>= 7) text += String.fromCharCode((rest & 127) | 128);
  return text + String.fromCharCode(rest);
}

const SHORT: readonly string[] = Array.from({ length: 127 }, (_, length) => String.fromCharCode(length));

/** A string as it is: for what is sent once, since the Huffman code costs us more than the octets it saves. */
export function encodePlain(text: string): string {
  return (SHORT[text.length] ?? encodeInteger(text.length, 127, 0)) + text;
}

/** A string in the Huffman code where that is shorter: for what is kept and sent again. */
export function encodeText(text: string): string {
  const length = huffmanLength(text);
  return length < text.length ? encodeInteger(length, 127, 128) + encodeHuffman(text) : encodePlain(text);
}
