/** The metric families of request bodies that are kept. None has a label by route: the process log says who holds most. */
import { BODY_PURPOSES, toBodyCell } from "./cells.ts";
import type { MetricFamily } from "./metric-family.ts";

/** In the order in which they are exported. */
export const BODY_FAMILIES: readonly MetricFamily[] = [
  {
    name: "sallyport_request_bodies_kept_bytes",
    type: "gauge",
    labels: ["purpose"],
    help: "Bytes of request bodies kept now, by purpose: retry (to be sent once more) or whole (until they are complete)",
    read: ({ cells }) =>
      BODY_PURPOSES.map((purpose) => ({ labels: { purpose }, value: cells.gauge(toBodyCell("bodyBytes", purpose)) })),
  },
  {
    name: "sallyport_request_bodies_refused_total",
    type: "counter",
    labels: ["purpose"],
    help: "Request bodies there was no room for, by purpose: whole (the request was answered 503) or retry (it could not be tried again)",
    read: ({ cells }) =>
      BODY_PURPOSES.map((purpose) => ({ labels: { purpose }, value: cells.sum(toBodyCell("bodiesRefused", purpose)) })),
  },
];
