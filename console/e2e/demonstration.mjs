// Starts the real program as a stranger would, `countersign demo` on ports of its own and a directory of its own, with
// nginx in front of the sample API; and asks that API what an integration would. It knows no browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
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

/** Ends the demonstration; it ends nginx and the sample API. */
async function end({ child, directory }) {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(late);
  }
  await rm(directory, { recursive: true, force: true });
}

async function attempt() {
  const directory = await mkdtemp(join(tmpdir(), "countersign-console-"));
  const [management, dataPlane, health, nginx, sample] = await freePorts(5);
  const address = (port) => `127.0.0.1:${port}`;
  const listeners = { management, "data-plane": dataPlane, health, nginx, sample };
  const url = `http://localhost:${management}`;
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("COUNTERSIGN")));
  const child = spawn(
    join(root, "target/debug/countersign"),
    [
      "demo",
      ...["--sample-api", join(root, "target/debug/examples/sample_api"), "--recipe", join(root, "gateways/nginx")],
      ...["--public-url", url, "--log-level", "warn"],
      ...Object.entries(listeners).flatMap(([name, port]) => [`--listen-${name}`, address(port)]),
    ],
    { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] },
  );
  // It ends with us, however we end.
  process.once("exit", () => child.exitCode === null && child.kill("SIGINT"));
  const complaints = [];
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line) > 50 && complaints.shift());
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const lines = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes(RUNS)) break;
  }
  clearTimeout(late);
  child.stdout.resume();
  const runs = lines.some((line) => line.includes(RUNS)) && lines.some((line) => line.includes("through nginx"));
  if (!runs) {
    await end({ child, directory });
    return { runs, said: [...lines, ...complaints].join("\n") };
  }
  const passwords = new Map(lines.flatMap((line) => [...line.matchAll(/^ {2}(\S+@demo\.example) +(\S+)/g)].map((found) => [found[1], found[2]])));
  assert.ok(passwords.size >= 5, lines.join("\n"));
  return {
    runs,
    url,
    password: (person) => passwords.get(`${person}@demo.example`),
    email: (person) => `${person}@demo.example`,
    /** The status nginx answers to what the token's integration would ask next. */
    async ask(sid, secret) {
      const authorization = `Basic ${Buffer.from(`${sid}:${secret}`).toString("base64")}`;
      const answer = await fetch(`http://${address(nginx)}/Advertisers/${sid}/Actions`, { headers: { authorization } });
      await answer.arrayBuffer();
      return answer.status;
    },
    end: () => end({ child, directory }),
  };
}

/** Another program may take a port between our finding it free and the demonstration's listening on it: then once more. */
export async function demonstration() {
  let said = "";
  for (let start = 0; start < STARTS; start += 1) {
    const running = await attempt();
    if (running.runs) return running;
    said = running.said;
  }
  throw new Error(`the demonstration does not start with nginx; is nginx-light installed?\n${said}`);
}
