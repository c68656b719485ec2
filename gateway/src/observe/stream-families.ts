/** The metric families of TLS handshakes and of what is passed on as bytes or datagrams. */
import { LISTENER } from "./cells.ts";
import type { MetricFamily } from "./metric-family.ts";
import { MILLISECONDS, readHandshakes, readPassing, readStreams } from "./samples.ts";

/** In the order in which they are exported. */
export const STREAM_FAMILIES: readonly MetricFamily[] = [
  {
    name: "sallyport_tls_handshakes_total",
    type: "counter",
    labels: ["listener", "outcome"],
    help: "TLS handshakes with clients by outcome: full, resumed, failed, or refused because nobody serves the server name",
    read: readHandshakes,
  },
  {
    name: "sallyport_streams_total",
    type: "counter",
    labels: ["listener", "protocol", "flag"],
    help: "Connections (tcp, tls) and sessions (udp) that were passed on and are over, by response flag",
    read: readStreams,
  },
  {
    name: "sallyport_stream_seconds_total",
    type: "counter",
    labels: ["listener"],
    help: "Sum of the durations of these streams",
    read: (source) => readPassing(source, LISTENER.streamDurationSum, MILLISECONDS),
  },
  {
    name: "sallyport_stream_received_bytes_total",
    type: "counter",
    labels: ["listener"],
    help: "Bytes these streams brought from clients",
    read: (source) => readPassing(source, LISTENER.streamBytesReceived),
  },
  {
    name: "sallyport_stream_sent_bytes_total",
    type: "counter",
    labels: ["listener"],
    help: "Bytes these streams brought to clients",
    read: (source) => readPassing(source, LISTENER.streamBytesSent),
  },
  {
    name: "sallyport_stream_received_datagrams_total",
    type: "counter",
    labels: ["listener"],
    help: "Datagrams that UDP sessions brought from clients",
    read: (source) => readPassing(source, LISTENER.datagramsReceived),
  },
  {
    name: "sallyport_stream_sent_datagrams_total",
    type: "counter",
    labels: ["listener"],
    help: "Datagrams that UDP sessions brought to clients",
    read: (source) => readPassing(source, LISTENER.datagramsSent),
  },
];
