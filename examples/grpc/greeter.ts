/** The service of greeter.proto for grpc-js. Its one message has one string, so that it is written and read by hand here. */
import type { ServiceDefinition } from "@grpc/grpc-js";

/** Field 1, length-delimited. */
const TAG = 0x0a;

const method = { requestStream: false, requestSerialize: toBytes, requestDeserialize: toText } as const;
const answer = { responseSerialize: toBytes, responseDeserialize: toText } as const;

/** What servers and clients are made of. */
export const GREETER = {
  greet: { path: "/demo.Greeter/Greet", responseStream: false, ...method, ...answer },
  count: { path: "/demo.Greeter/Count", responseStream: true, ...method, ...answer },
} as const satisfies ServiceDefinition;

function toBytes(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([TAG, ...length]), bytes]);
}

function toText(bytes: Buffer): string {
  if (bytes[0] !== TAG) return "";
  const at = 1 + bytes.subarray(1).findIndex((byte) => byte < 0x80) + 1;
  return bytes.toString("utf8", at);
}
