// Starts the real program as a stranger would, `countersign demo` on ports of its own and a directory of its own, with
// nginx in front of the sample API, or a server nobody has set up yet; and asks that API what an integration would. It
// knows no browser. Beside it stand a receiver of webhooks and, where a flow asks for one, a mail server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createReceiver } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = resolve(root, process.env.CARGO_TARGET_DIR ?? "target", "debug");
const PROGRAM = process.env.COUNTERSIGN_PROGRAM ?? join(built, "countersign");
const RUNS = "Ctrl-C stops all of it";
const START_MS = 60_000;
const END_MS = 20_000;
const STARTS = 3;

/** Ports that were free a moment ago. */
async function freePorts(count) {
  const doors = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(doors.map((door) => once(door, "listening")));
  const ports = doors.map((door) => door.address().port);
  await Promise.all(doors.map((door) => new Promise((closed) => door.close(closed))));
  return ports;
}

/** Ends the program; a demonstration ends nginx and the sample API. */
async function end({ child, directory, last }) {
  process.off("exit", last);
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(late);
  }
  await rm(directory, { recursive: true, force: true });
}

/** A receiver of webhooks on this machine: what arrived, and at which paths it fails. */
async function receiver() {
  const heard = [];
  const failing = new Map();
  const server = createReceiver(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    heard.push({ path: request.url, headers: request.headers, body });
    response.writeHead(failing.get(request.url) ?? 204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  return { heard, port, url: `http://127.0.0.1:${port}`, fails: (path, status) => (status ? failing.set(path, status) : failing.delete(path)), end: () => new Promise((done) => (server.closeAllConnections(), server.close(done))) };
}

/** A configuration under which webhooks may lead to that receiver. */
const reaches = ({ port }) => `[webhooks]\nplain_http = "yes"\nports = ["${port}"]\nallow_networks = ["127.0.0.0/8"]\n`;

/** Runs the program in a directory of its own until a line of `stream` says that it is `ready`. */
async function launch(command, listeners, configuration, more, stream, ready) {
  const directory = await mkdtemp(join(tmpdir(), "countersign-console-"));
  await writeFile(join(directory, "countersign.toml"), configuration);
  const doors = Object.entries(listeners).flatMap(([name, port]) => [`--listen-${name}`, `127.0.0.1:${port}`]);
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN")));
  const child = spawn(resolve(root, PROGRAM), [command, "--config", "countersign.toml", ...doors, ...more], { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  // It ends with us, however we end.
  const last = () => child.exitCode === null && child.kill("SIGINT");
  process.once("exit", last);
  const other = [];
  createInterface({ input: stream === "stdout" ? child.stderr : child.stdout }).on("line", (line) => other.push(line) > 50 && other.shift());
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const lines = [];
  for await (const line of createInterface({ input: child[stream] })) {
    lines.push(line);
    if (line.includes(ready)) break;
  }
  clearTimeout(late);
  child[stream].resume();
  const runs = lines.some((line) => line.includes(ready));
  const started = { child, directory, last, lines, said: [...lines, ...other].join("\n"), runs };
  if (!runs) await end(started);
  return started;
}

async function demonstrate() {
  const [management, dataPlane, health, nginx, sample] = await freePorts(5);
  const url = `http://localhost:${management}`;
  const listeners = { management, "data-plane": dataPlane, health, nginx, sample };
  const programs = ["--sample-api", join(built, "examples/sample_api")];
  const webhooks = await receiver();
  const started = await launch("demo", listeners, reaches(webhooks), [...programs, "--public-url", url, "--log-level", "warn"], "stdout", RUNS);
  const { lines } = started;
  if (started.runs && !lines.some((line) => line.includes("through nginx"))) {
    await end(started);
    started.runs = false;
  }
  if (!started.runs) {
    await webhooks.end();
    return started;
  }
  const passwords = new Map(lines.flatMap((line) => [...line.matchAll(/^ {2}(\S+@demo\.example) +(\S+)/g)].map((found) => [found[1], found[2]])));
  assert.ok(passwords.size >= 5, lines.join("\n"));
  return {
    runs: true,
    url,
    password: (person) => passwords.get(`${person}@demo.example`),
    email: (person) => `${person}@demo.example`,
    /** The status nginx answers to what the token's integration would ask next. */
    async ask(sid, secret, path = `/Advertisers/${sid}/Actions`) {
      const authorization = `Basic ${Buffer.from(`${sid}:${secret}`).toString("base64")}`;
      const answer = await fetch(`http://127.0.0.1:${nginx}${path}`, { headers: { authorization } });
      await answer.arrayBuffer();
      return answer.status;
    },
    webhooks,
    end: () => Promise.all([end(started), webhooks.end()]),
  };
}

/** A server nobody has set up yet, and the code its first operator needs; `flags`: more of its settings. */
async function begin(flags) {
  const [management, dataPlane, health] = await freePorts(3);
  const url = `http://localhost:${management}`;
  const listeners = { management, "data-plane": dataPlane, health };
  const webhooks = await receiver();
  const started = await launch("serve", listeners, reaches(webhooks), ["--public-url", url, ...flags], "stderr", "There is no operator yet");
  if (!started.runs) {
    await webhooks.end();
    return started;
  }
  const code = await readFile(join(started.directory, "data/bootstrap-code"), "utf8");
  return { runs: true, url, code: code.trim(), webhooks, end: () => Promise.all([end(started), webhooks.end()]) };
}

/** Another program may take a port between our finding it free and the program's listening on it: then once more. */
async function sure(start, what) {
  let said = "";
  for (let turn = 0; turn < STARTS; turn += 1) {
    const running = await start();
    if (running.runs) return running;
    said = running.said;
  }
  throw new Error(`${what}\n${said}`);
}

export const demonstration = () => sure(demonstrate, "the demonstration does not start with nginx; is nginx-light installed?");
export const newInstallation = (...flags) => sure(() => begin(flags), "the server does not start");

/** A real mail server: letters lie in its directory, and `letters` reads those to an address, oldest first. */
export async function mailServer(...flags) {
  const directory = await mkdtemp(join(tmpdir(), "countersign-letters-"));
  const child = spawn(join(root, "scripts/smtp-server"), [directory, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const last = () => child.kill("SIGTERM");
  process.once("exit", last);
  const events = [];
  let port;
  const lines = createInterface({ input: child.stdout });
  await new Promise((listens, fails) => {
    child.once("exit", (code) => fails(new Error(`the mail server ended: ${code}`)));
    lines.on("line", (line) => {
      const event = JSON.parse(line);
      events.push(event);
      if (port === undefined && event.port) listens((port = event.port));
    });
  });
  return {
    flags: ["--mail-server", `localhost:${port}`, "--mail-tls", "none", "--mail-from", "countersign@demo.example"],
    events,
    directory,
    async end() {
      process.off("exit", last);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
