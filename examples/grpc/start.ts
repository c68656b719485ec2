/** Runs this example: demo backends and gateway as processes of their own. Ends with the first of them, or with Ctrl-C. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli, openDemo } from "../demo.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

const HELP = `
Sallyport is ready. Try:

  node_modules/.bin/node examples/grpc/call.ts                      # 90 % v1, 10 % v2; pinned to v2; a stream
  grpcurl -plaintext -proto examples/grpc/greeter.proto -d '{"text":"you"}' localhost:8080 demo.Greeter/Greet
  grpcurl -plaintext -proto examples/grpc/greeter.proto -H 'x-version: v2' -d '{"text":"you"}' localhost:8080 demo.Greeter/Greet
  printf '\\0\\0\\0\\0\\5\\n\\3you' | curl --http2-prior-knowledge http://localhost:8080/demo.Greeter/Greet \\
      -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @- --output -
  curl http://127.0.0.1:15000/clusters                              # the backends

Configuration: examples/grpc (edit it, it is live)   Stop: Ctrl-C
`;

const demo = openDemo("grpc");
demo.run("demo backends", [join(here, "backends.ts")]);
demo.run("gateway", [cli, "run", here, "--min-drain", "0"]);
await demo.announce(HELP);
