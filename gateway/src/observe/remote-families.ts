/** Metric families of following a controller; a gateway that follows none exports no samples of them. */
import type { MetricFamily } from "./metric-family.ts";
import type { MetricSource, RemoteFacts } from "./metric-source.ts";
import type { Sample } from "./samples.ts";

/** In the order in which they are exported. */
export const REMOTE_FAMILIES: readonly MetricFamily[] = [
  {
    name: "sallyport_config_controller_connected",
    type: "gauge",
    labels: [],
    help: "1 while the stream from the controller is open; only of `sallyport gateway`, as all of sallyport_config_controller",
    read: readRemote(({ connected }) => (connected ? 1 : 0)),
  },
  {
    name: "sallyport_config_controller_connects_total",
    type: "counter",
    labels: ["outcome"],
    help: "Connections to the controller: success, or failure where none could be made or one broke",
    read: ({ facts }) => {
      const { remote } = facts();
      if (remote === undefined) return [];
      return [
        { labels: { outcome: "success" }, value: remote.connects },
        { labels: { outcome: "failure" }, value: remote.failures },
      ];
    },
  },
  {
    name: "sallyport_config_controller_changes_total",
    type: "counter",
    labels: ["outcome"],
    help: "Changes from the controller: accepted, or refused (the last good configuration stays)",
    read: ({ facts }) => {
      const { remote } = facts();
      if (remote === undefined) return [];
      return [
        { labels: { outcome: "accepted" }, value: remote.accepted },
        { labels: { outcome: "refused" }, value: remote.refused },
      ];
    },
  },
  {
    name: "sallyport_config_controller_last_change_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the last change from the controller was accepted; 0 before the first",
    read: readRemote(({ lastChangeAt }) => lastChangeAt / 1000),
  },
  {
    name: "sallyport_config_controller_certificate_expiry_timestamp_seconds",
    type: "gauge",
    labels: [],
    help: "When the certificate ends by which the controller knows this proxy; 0 where there is none",
    read: readRemote(({ certificateExpiresAt }) => certificateExpiresAt / 1000),
  },
  {
    name: "sallyport_config_controller_restored",
    type: "gauge",
    labels: [],
    help: "1 while the configuration from disk is served and the controller has not confirmed it",
    read: readRemote(({ restored }) => (restored ? 1 : 0)),
  },
];

function readRemote(value: (remote: RemoteFacts) => number): (source: MetricSource) => Sample[] {
  return ({ facts }) => {
    const { remote } = facts();
    return remote === undefined ? [] : [{ labels: {}, value: value(remote) }];
  };
}
