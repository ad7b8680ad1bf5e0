// Programs of others that speak PagerDuty's API, as a company has them that moves over: PagerDuty's own client for Python, which
// pages through lists, finds by name, retries, and reads what it gets strictly. It refuses plain HTTP, so Muster stands behind a
// proxy here, as it often does.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startMuster } from "./muster.mjs";

const PYTHON = new URL("../target/python/bin/python", import.meta.url).pathname;
const OFFICIAL = new URL("clients/official.py", import.meta.url).pathname;

/** Lets programs reach the Muster that it is told of over TLS, with a certificate that `authority` vouches for. */
async function startProxy(folder) {
  let muster;
  const made = spawnSync(PYTHON, ["-m", "trustme", "--quiet", "--dir", folder], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  const file = (name) => readFileSync(join(folder, name));
  const proxy = createServer({ key: file("server.key"), cert: file("server.pem") }, (asked, answer) => {
    const onward = request(muster.base + asked.url, { method: asked.method, headers: asked.headers }, (given) => {
      answer.writeHead(given.statusCode, given.headers);
      given.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return { base: `https://localhost:${proxy.address().port}`, authority: join(folder, "client.pem"), leadTo: (one) => { muster = one; }, stop: () => proxy.close() };
}

async function drive(proxy, key) {
  const environment = { ...process.env, SSL_CERT_FILE: proxy.authority };
  const child = spawn(PYTHON, [OFFICIAL, proxy.base, key], { stdio: ["ignore", "pipe", "pipe"], env: environment });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { told += chunk; });
  const status = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(status, 0, told);
}

test("PagerDuty's own client does everything it does every day", { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-clients-"));
  const proxy = await startProxy(folder);
  // The client follows only links that begin with the address it was given.
  const muster = await startMuster({ MUSTER_BASE_URL: proxy.base });
  proxy.leadTo(muster);
  try {
    await drive(proxy, muster.owner.api_key);
    const made = await muster.post("/api_keys", { api_key: { kind: "account", scope: "full", name: "Moving over" } });
    await drive(proxy, made.api_key.key);
  } finally {
    proxy.stop();
    await muster.stop();
    rmSync(folder, { recursive: true });
  }
});
