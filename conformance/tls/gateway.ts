// Sallyport on a directory that a test may rewrite while it runs.
import { type Sallyport, type SallyportOptions, startSallyport } from "@sallyport/testkit/process";
import { openTemporaryDirectory, type TemporaryDirectory } from "@sallyport/testkit/temporary-directory";
import { settles } from "../faults/asking.ts";
import { readMetric } from "../faults/edge.ts";

/** A running gateway and its directory. */
export interface RunningGateway {
  readonly sallyport: Sallyport;
  readonly directory: TemporaryDirectory;
  /** Rewrites files and waits until what they say is in force. */
  change(files: Readonly<Record<string, string>>): Promise<void>;
  /** Rejects, with all it printed, where it had ended by itself. */
  stop(): Promise<void>;
}

/** Starts it on these files. */
export async function openGateway(
  files: Readonly<Record<string, string>>,
  options: Omit<SallyportOptions, "directory"> = {},
): Promise<RunningGateway> {
  const directory = openTemporaryDirectory(files);
  try {
    const sallyport = await startSallyport({ ...options, directory: directory.path });
    const applied = (): Promise<number> => readMetric(sallyport, "sallyport_config_epoch");
    return {
      sallyport,
      directory,
      change: async (changed) => {
        const before = await applied();
        for (const [name, text] of Object.entries(changed)) directory.write(name, text);
        await settles(async () => {
          if ((await applied()) <= before) throw new Error("the change is not in force yet");
        });
      },
      stop: async () => {
        const exit = sallyport.process.exit();
        await sallyport.stop();
        directory.close();
        if (exit !== undefined)
          throw new Error(`sallyport ended (${exit}); it printed:\n${sallyport.process.output()}`);
      },
    };
  } catch (error) {
    directory.close();
    throw error;
  }
}
