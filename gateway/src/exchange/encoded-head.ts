/** The head of an answer whose body is sent in another coding than it came in. */
import type { ContentCoding } from "@sallyport/policies/filter";
import type { ResponseHead } from "../head/response-head.ts";

/** What speaks of the bytes that came: parts of them cannot be asked for, and their digests are not those of what goes. */
const OF_BYTES = ["accept-ranges", "content-md5", "content-digest", "repr-digest", "digest"];

/** The head without a length. Its validator becomes weak: what it names is the same to a reader, and not the same bytes (RFC 9110 8.8.1). */
export function toEncodedHead(head: ResponseHead, { name }: ContentCoding): ResponseHead {
  const encoded = head.withoutLength().own();
  encoded.setHeader("content-encoding", name);
  for (const field of OF_BYTES) encoded.removeHeader(field);
  const tag = encoded.header("etag");
  if (tag?.startsWith('"') === true) encoded.setHeader("etag", `W/${tag}`);
  return encoded;
}
