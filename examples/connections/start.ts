/**
 * Runs this example: makes certificates, starts the demo backends and the gateway as processes of their own, and prints what to
 * try once the gateway is ready. Ends with the first of them, or with Ctrl-C.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli, openDemo } from "../demo.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

const HELP = `
Sallyport is ready. Try, in examples/connections/certificates:

  CLIENT='--cert client/tls.crt --key client/tls.key'
  curl --cacert edge/ca.crt https://shop.localhost:8443/            # refused: clients need a certificate
  curl --cacert edge/ca.crt $CLIENT https://shop.localhost:8443/    # x-forwarded-client-cert tells the backend whose
  curl --cacert backend/ca.crt https://pass.localhost:8443/         # passed through: the backend's own certificate
  openssl s_client -quiet -connect localhost:8443 -servername lines.localhost \\
      -CAfile edge/ca.crt -cert client/tls.crt -key client/tls.key  # what you type comes back
  nc localhost 8007                                                 # the same over TCP
  nc -u localhost 8007                                              # and over UDP
  curl http://ingress.localhost:8080/                               # an Ingress
  curl --cacert edge/ca.crt https://ingress.localhost:8444/         # the same over TLS
  curl http://127.0.0.1:15000/listeners                             # what is bound

Configuration: examples/connections (edit it, it is live)   Stop: Ctrl-C
`;

const demo = openDemo("connections");
execFileSync(process.execPath, [join(here, "certificates.ts"), here], { stdio: "inherit" });
demo.run("demo backends", [join(here, "backends.ts"), join(here, "certificates/backend")]);
demo.run("gateway", [cli, "run", here, "--port-map", "80=8080", "--port-map", "443=8444", "--min-drain", "0"]);
await demo.announce(HELP);
