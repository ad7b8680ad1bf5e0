// A mail server for a test: it takes every letter and gives the links in them.
import { createServer } from "node:net";

/** Quoted-printable text as it was written; enough for links. */
const plain = (letter) => letter.replace(/=\r\n/g, "").replace(/=3D/g, "=");

/** Starts a server; its `url` is for MUSTER_SMTP_URL. */
export async function startMail() {
  const letters = [];
  const server = createServer((socket) => {
    let waiting = "";
    let ending = "\r\n"; // of what is read next: a command's line, or a whole letter
    socket.setEncoding("utf8").on("error", () => socket.destroy());
    socket.write("220 mail of a test\r\n");
    socket.on("data", (chunk) => {
      waiting += chunk;
      for (let end = waiting.indexOf(ending); end >= 0; end = waiting.indexOf(ending)) {
        const part = waiting.slice(0, end);
        waiting = waiting.slice(end + ending.length);
        const isLetter = ending !== "\r\n";
        if (isLetter) letters.push(plain(part));
        ending = !isLetter && part.toUpperCase() === "DATA" ? "\r\n.\r\n" : "\r\n";
        socket.write(ending === "\r\n" ? "250 yes\r\n" : "354 go on\r\n");
      }
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `smtp://127.0.0.1:${server.address().port}`,
    /** The address in the latest letter to somebody that has such a path in it; waits for the letter. */
    async link(to, path) {
      const until = Date.now() + 15_000;
      for (;;) {
        const theirs = letters.filter((letter) => letter.split("\r\n\r\n")[0].includes(to));
        const found = theirs.flatMap((letter) => letter.match(/http:[^\s<>"]+/g) ?? []).filter((address) => address.includes(path));
        if (found.length) return found.at(-1);
        if (Date.now() > until) throw new Error(`no letter to ${to} has a link to ${path}: ${letters.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    stop() {
      server.close();
      server.unref();
    },
  };
}
