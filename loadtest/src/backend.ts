// The one backend behind every peer: an nginx with a configuration of our own, cheap enough to stay out of the way.
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "./processes.ts";
import { findTool } from "./tools.ts";

/** Paths that the backend answers, and the size of each body in bytes. */
export const backendPaths = {
  ready: "/-/ready",
  /** Answers with the X-Forwarded-For and X-Request-Id it was sent, one a line. */
  seen: "/-/seen",
  /** The same 65 bytes under the same head each time; every other path has unique fields in its head. */
  fixed: "/fixed",
  tenKibibytes: "/10k",
  oneMebibyte: "/1m",
  quarterGibibyte: "/256m",
  /** Answers to paths below it have more fields, as an application's have: fourteen, three of which are unique. */
  application: "/app/",
  /** Answers before it has read the body. */
  sink: "/sink",
  /** Answers when it has read the body, of at most 2 MiB. */
  upload: "/upload",
} as const;

/** Size of the largest file in bytes. */
export const quarterGibibyte: number = 2 ** 28;

/** Size of the small body in bytes. */
export const smallBodyBytes = 65;

/** Writes configuration and files to the folder and says how to start nginx on them; throws when there is no nginx. */
export function backendLaunch(
  directory: string,
  port: number,
  body = "the quick brown fox jumps over the lazy dog",
): Launch {
  const nginx = findTool("nginx");
  if (nginx.kind === "missing") throw new Error(`no backend: ${nginx.reason}`);
  const files = join(directory, "files");
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, "10k"), filler(10 * 1024));
  writeFileSync(join(files, "1m"), filler(1024 * 1024));
  // A file with a hole instead of bytes: it takes no room on the disk.
  writeFileSync(join(files, "256m"), "");
  truncateSync(join(files, "256m"), quarterGibibyte);
  const config = join(directory, "nginx.conf");
  writeFileSync(config, backendConfig({ directory, port, body: smallBody(body) }));
  return { command: nginx.path, args: nginxArguments(directory, config), env: nginx.env };
}

/** Arguments that keep nginx in the foreground and inside the folder. */
export function nginxArguments(directory: string, config: string): readonly string[] {
  return ["-p", directory, "-c", config, "-e", join(directory, "error.log"), "-g", "daemon off;"];
}

/** Directives that every nginx of the load test needs: one worker, nothing written outside the folder. */
export function nginxPreamble(directory: string): string {
  // As root, nginx would change to a user that cannot read a private temporary folder.
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  return `${user}worker_processes 1;
worker_rlimit_nofile 20000;
pid ${directory}/nginx.pid;
events { worker_connections 16000; }
`;
}

/** Paths inside the folder for what nginx would write to system folders. */
export function nginxTemporaryPaths(directory: string): string {
  return ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${directory}/${name}_temp;`)
    .join("\n");
}

function backendConfig(setup: { directory: string; port: number; body: string }): string {
  const { directory, port, body } = setup;
  const unique = "$pid-$connection-$connection_requests";
  return `${nginxPreamble(directory)}
http {
${nginxTemporaryPaths(directory)}
  access_log off;
  default_type text/plain;
  sendfile on;
  tcp_nodelay on;
  open_file_cache max=16 inactive=1h;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${directory}/files;
    location = ${backendPaths.ready} { return 200 "ready\\n"; }
    location = ${backendPaths.seen} { return 200 "$http_x_forwarded_for\\n$http_x_request_id\\n"; }
    location = ${backendPaths.fixed} { return 200 "${body}"; }
    location = ${backendPaths.tenKibibytes} { }
    location = ${backendPaths.oneMebibyte} { }
    location = ${backendPaths.quarterGibibyte} { }
    location = ${backendPaths.sink} { return 200 "${body}"; }
    location = ${backendPaths.upload} {
      client_max_body_size 0;
      client_body_buffer_size 2m;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:${port}${backendPaths.fixed};
    }
    location ${backendPaths.application} {
${uniqueFields(unique)}
      add_header Vary "Accept-Encoding, Accept-Language";
      add_header Content-Language "en-GB";
      add_header Strict-Transport-Security "max-age=31536000; includeSubDomains";
      add_header X-Content-Type-Options "nosniff";
      add_header X-Frame-Options "SAMEORIGIN";
      add_header Referrer-Policy "strict-origin-when-cross-origin";
      return 200 "${body}";
    }
    location / {
${uniqueFields(unique)}
      return 200 "${body}";
    }
  }
}
`;
}

function uniqueFields(unique: string): string {
  return `      add_header ETag "\\"${unique}\\"";
      add_header Set-Cookie "visit=${unique}; Path=/; HttpOnly; SameSite=Lax";
      add_header X-Backend-Request-Id "${unique}";
      add_header Cache-Control "private, max-age=60";`;
}

function smallBody(text: string): string {
  return `${text}${" ".repeat(smallBodyBytes)}`.slice(0, smallBodyBytes);
}

function filler(bytes: number): string {
  return "0123456789abcdef".repeat(bytes / 16);
}
