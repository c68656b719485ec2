/**
 * Calls the example and prints what Greet and Count answer; a call with metadata `x-version: v2` is pinned.
 * Usage: node_modules/.bin/node examples/grpc/call.ts [ADDRESS]
 */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { GREETER } from "./greeter.ts";

const client = new Client(process.argv[2] ?? "localhost:8080", credentials.createInsecure());
const { greet, count } = GREETER;
const pinned = new Metadata();
pinned.set("x-version", "v2");

console.log(await callGreet(new Metadata()));
console.log(await callGreet(pinned));
const stream = client.makeServerStreamRequest(count.path, count.requestSerialize, count.responseDeserialize, "you");
for await (const text of stream) console.log(String(text));
client.close();

function callGreet(metadata: Metadata): Promise<string | undefined> {
  const { path, requestSerialize, responseDeserialize } = greet;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, "you", metadata, (error, text) => {
      if (error === null) resolve(text);
      else reject(error);
    });
  });
}
