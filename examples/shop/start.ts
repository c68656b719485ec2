/** Runs the shop: its services and the gateway as processes of their own. Ends with the first of them, or with Ctrl-C. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli, openDemo } from "../demo.ts";
import { PORTS, serviceNames, toCommand } from "./services.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const HELP = `
The shop is open: http://localhost:8080/

Make an instance misbehave by the back door of its service, and watch the page:
  curl -X POST 'localhost:9410/behave?instance=catalogue-2&be=slow&ms=500'
  curl -X POST 'localhost:9410/behave?instance=catalogue-2&be=failing'     # or hanging, refusing, unwell...
  curl -X POST 'localhost:9410/behave?be=well'                             # all of them
  curl localhost:9410                                                      # how they are; cart 9420, checkout 9430

Then let the gateway deal with it: a policy that is copied into the configuration holds at once.
  cp examples/shop/mechanisms/outlier-detection.yaml examples/shop/objects/  # rm it again afterwards
  curl http://127.0.0.1:15000/clusters                                     # what it thinks of the instances
  node_modules/.bin/node examples/shop/try.ts                              # every mechanism, shown step by step

Configuration: examples/shop/objects (edit it, it is live)   Stop: Ctrl-C
`;

const demo = openDemo("shop");
for (const name of serviceNames()) demo.run(name, toCommand(name, PORTS[name]));
demo.run("gateway", [cli, "run", join(here, "objects"), "--zone", "a", "--access-log", "off", "--min-drain", "0"]);
await demo.announce(HELP);
