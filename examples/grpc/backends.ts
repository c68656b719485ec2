/**
 * The demo backends: two versions of a service for gRPC on two loopback ports in a row.
 * Usage: node backends.ts [FIRST_PORT]; services.yaml names the ports from 9201 on.
 */
import { setTimeout } from "node:timers/promises";
import {
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { GREETER } from "./greeter.ts";

const FIRST_PORT = Number(process.argv[2] ?? 9201);
const PAUSE = 200;

for (const [index, version] of ["v1", "v2"].entries()) serve(FIRST_PORT + index, version);

function serve(port: number, version: string): void {
  const greet: handleUnaryCall<string, string> = (call, done) => {
    done(null, `hello ${call.request}, says ${version}`);
  };
  const count: handleServerStreamingCall<string, string> = (call) => void countTo(call, version);
  const server = new Server();
  server.addService(GREETER, { greet, count });
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) return;
    console.error(`demo backend: cannot listen on 127.0.0.1:${port}: ${error.message}`);
    process.exit(1);
  });
}

async function countTo(call: ServerWritableStream<string, string>, version: string): Promise<void> {
  for (let number = 1; number <= 5 && !call.cancelled; number++) {
    call.write(`${number} for ${call.request}, says ${version}`);
    await setTimeout(PAUSE);
  }
  call.end();
}
