// A PostgreSQL of its own for a test: made in a temporary folder, reached on a port of this machine only, and gone
// with the test. PostgreSQL refuses root, so that root starts it as the user postgres or nobody.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./muster.mjs";

const INSTALLED = "/usr/lib/postgresql";

/** The folder of the newest PostgreSQL's programs; nothing where none is installed. */
function programs() {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one)).map((version) => join(INSTALLED, version, "bin"));
  return newest.find((folder) => existsSync(join(folder, "initdb")));
}

/** Whom the server runs as. */
function somebody() {
  if (process.getuid() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

export const hasPostgres = () => programs() !== undefined;

/** Starts a server with one empty database, and gives its address and a way to stop it. */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "muster-e2e-pg-"));
  const as = somebody();
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  chmodSync(folder, 0o700);
  const port = await freePort();
  const options = { cwd: folder, ...as };
  const made = spawnSync(join(programs(), "initdb"), ["--pgdata=data", "--username=muster", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"], { ...options, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const settings = ["fsync=off", "synchronous_commit=off", "listen_addresses=127.0.0.1", `port=${port}`].flatMap((one) => ["-c", one]);
  const server = spawn(join(programs(), "postgres"), ["-D", "data", "-k", folder, ...settings], { ...options, stdio: "ignore" });
  const ready = () => spawnSync(join(programs(), "pg_isready"), ["-h", "127.0.0.1", "-p", String(port), "-U", "muster"], { stdio: "ignore" }).status === 0;
  const until = Date.now() + 30_000;
  while (!ready()) {
    if (Date.now() > until || server.exitCode !== null) throw new Error("PostgreSQL did not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `postgres://muster@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill("SIGINT");
      if (server.exitCode === null) await new Promise((resolve) => server.once("exit", resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
