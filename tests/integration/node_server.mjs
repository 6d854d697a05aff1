// Node's servers for the integration tests: http, https, h2c, h2. Prints its ports as one line of JSON.
// usage: node node_server.mjs KEY CHAIN
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import zlib from "node:zlib";

const tls = { key: readFileSync(process.argv[2]), cert: readFileSync(process.argv[3]) };
const page = Buffer.from("A small page, always the same.\n".repeat(4));
const piece = 65536;
const block = Buffer.alloc(piece + 251);
for (let i = 0; i < block.length; i++) block[i] = i % 251;

// The same bytes as mint.testing.showcase.pattern.
function* pattern(size) {
  for (let start = 0; start < size; start += piece) {
    const offset = start % 251;
    yield block.subarray(offset, offset + Math.min(piece, size - start));
  }
}

async function write(res, size, each = () => {}) {
  for (const data of pattern(size)) {
    each(data);
    if (!res.write(data)) {
      await new Promise((go) => { res.once("drain", go); res.once("close", go); });
    }
    if (res.destroyed) return;
  }
}

const numbered = {
  async bytes(req, res, size) {
    res.setHeader("content-length", size);
    await write(res, size);
    res.end();
  },
  async stream(req, res, size) {
    const hash = createHash("sha256");
    if (req.httpVersionMajor === 1) res.setHeader("trailer", "x-sha256");
    await write(res, size, (data) => hash.update(data));
    res.addTrailers({ "x-sha256": hash.digest("hex") });
    res.end();
  },
  status(req, res, status) {
    res.writeHead(status);
    res.end();
  },
  // The first N bytes of a response, then the end of the connection.
  cut(req, res, size) {
    req.socket.end(raw.subarray(0, size));
  },
  // The same, with a reset.
  reset(req, res, size) {
    req.socket.write(raw.subarray(0, size), () => req.socket.resetAndDestroy());
  },
  // HTTP/2: the stream is reset with this code after some data.
  rst(req, res, code) {
    res.write(page, () => res.stream.close(code));
  },
};
const raw = Buffer.from(
  "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nx-header: value\r\ntransfer-encoding: chunked\r\n\r\n" +
  "5;extension=1\r\nhello\r\n1\r\n!\r\n0\r\nx-trailer: value\r\n\r\n");

const plain = {
  index(req, res) {
    const tag = '"page"';
    if (req.headers["if-none-match"] === tag) {
      res.writeHead(304, { etag: tag });
      res.end();
      return;
    }
    res.writeHead(200, { "content-type": "text/plain", "content-length": page.length, etag: tag });
    res.end(page);
  },
  empty(req, res) {
    res.writeHead(204);
    res.end();
  },
  early(req, res) {
    if (req.httpVersionMajor === 1) res.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
    else res.stream.additionalHeaders({ ":status": 103, link: "</style.css>; rel=preload; as=style" });
    res.end(page);
  },
  gzip(req, res) {
    res.setHeader("content-encoding", "gzip");
    res.end(zlib.gzipSync(page));
  },
  close(req, res) {
    res.setHeader("connection", "close");
    res.end(page);
  },
  headers(req, res) {
    res.end(JSON.stringify(req.headers));
  },
  echo(req, res) {
    res.flushHeaders();
    req.pipe(res);
  },
  sink(req, res) {
    const hash = createHash("sha256");
    let size = 0;
    req.on("data", (data) => { size += data.length; hash.update(data); });
    req.on("end", () => res.end(`${size} ${hash.digest("hex")} ${JSON.stringify(req.trailers)}\n`));
  },
  // Answers at once and never reads the body.
  refuse(req, res) {
    res.writeHead(413);
    res.end(page);
  },
  push(req, res) {
    res.stream.pushStream({ ":path": "/style.css" }, (error, pushed) => {
      if (!error) pushed.respond({ ":status": 200, "content-type": "text/css" }), pushed.end("p {}\n");
      res.end(page);
    });
  },
  // HTTP/2: no new streams; this one and the others in flight are finished first.
  goaway(req, res) {
    res.write(page);
    req.stream.session.close();
    res.end();
  },
  // HTTP/2: settings changed in flight.
  settings(req, res) {
    req.stream.session.settings(
      { initialWindowSize: 1000, maxConcurrentStreams: 5, headerTableSize: 0 },
      () => res.end(page));
  },
};

const readers = ["echo", "sink", "refuse"];

function handle(req, res) {
  const [, name, argument] = req.url.split("?")[0].split("/");
  // A request that is not read may be reset by Node before the end of its response has left.
  if (!readers.includes(name)) req.resume();
  if (argument !== undefined && numbered[name]) numbered[name](req, res, Number(argument));
  else if (plain[name || "index"]) plain[name || "index"](req, res);
  else { res.writeHead(404); res.end(); }
}

// Tunnels echo: CONNECT, upgrades, extended CONNECT. In HTTP/2 the second argument is a response.
function tunnel(req, socket, head) {
  if (req.httpVersionMajor === 2) {
    plain.echo(req, socket);
    return;
  }
  const answer = req.method === "CONNECT" ? "HTTP/1.1 200 OK\r\n\r\n"
    : `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${req.headers.upgrade}\r\n\r\n`;
  socket.write(answer);
  socket.write(head);
  socket.pipe(socket);
}

const settings = { enableConnectProtocol: true, maxConcurrentStreams: 100 };
const servers = {
  http: http.createServer(handle),
  https: https.createServer(tls, handle),
  h2c: http2.createServer({ settings }),
  h2: http2.createSecureServer({ ...tls, settings, allowHTTP1: true }),
};
for (const server of Object.values(servers)) {
  server.on("connect", tunnel);
  server.on("upgrade", tunnel);
  server.keepAliveTimeout = 0;
}
for (const name of ["h2c", "h2"]) servers[name].on("request", handle);

const ports = {};
for (const [name, server] of Object.entries(servers)) {
  server.on("clientError", (error, socket) => socket.destroy());
  server.on("sessionError", () => {});
  await new Promise((go) => server.listen(0, "127.0.0.1", go));
  ports[name] = server.address().port;
}
console.log(JSON.stringify(ports));
