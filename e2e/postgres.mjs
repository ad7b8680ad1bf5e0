// A PostgreSQL of its own for a test: made in a temporary folder, reached by a socket in it only, and gone with the
// test. PostgreSQL refuses root, so that root starts it as the user postgres or nobody.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const INSTALLED = "/usr/lib/postgresql";

/** The folder of the newest PostgreSQL's programs. */
function programs() {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one)).map((version) => join(INSTALLED, version, "bin"));
  const found = newest.find((folder) => existsSync(join(folder, "initdb")));
  if (!found) throw new Error(`PostgreSQL is not installed in ${INSTALLED}; on Debian: apt-get install postgresql`);
  return found;
}

/** Whom the server runs as. */
function somebody() {
  if (process.getuid() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Starts a server with one empty database, and gives its address and a way to stop it. */
export async function startPostgres() {
  const installed = programs();
  const folder = mkdtempSync(join(tmpdir(), "muster-e2e-pg-"));
  const as = somebody();
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  chmodSync(folder, 0o700);
  const options = { cwd: folder, ...as };
  const made = spawnSync(join(installed, "initdb"), ["--pgdata=data", "--username=muster", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"], { ...options, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const settings = ["fsync=off", "listen_addresses="].flatMap((one) => ["-c", one]);
  let server;
  // A test that fails before it stops this server must still come to its end, and take the server along.
  process.once("exit", () => server?.kill("SIGQUIT"));
  const ready = () => spawnSync(join(installed, "pg_isready"), ["-h", folder, "-U", "muster"], { stdio: "ignore" }).status === 0;
  async function start() {
    server = spawn(join(installed, "postgres"), ["-D", "data", "-k", folder, ...settings], { ...options, stdio: "ignore" });
    server.unref();
    const until = Date.now() + 30_000;
    while (!ready()) {
      if (Date.now() > until || server.exitCode !== null) throw new Error("PostgreSQL did not start");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  async function end(signal) {
    server.ref();
    server.kill(signal);
    if (server.exitCode === null) await new Promise((resolve) => server.once("exit", resolve));
  }
  await start();
  return {
    url: `postgres://muster@${encodeURIComponent(folder)}/postgres`,
    /** Takes the server away as a crash would; `start` brings it back with what it had. */
    crash: () => end("SIGQUIT"),
    start,
    async stop() {
      await end("SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
