// sharp. The same protocol as worker.py; the third argument is the folder that it is installed in.
// Its number of threads comes from sharp.concurrency and UV_THREADPOOL_SIZE.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [, , path, count, installed] = process.argv;
const sharp = createRequire(join(installed, "package.json"))("sharp");
const photo = readFileSync(path);
const threads = Number(count);
sharp.concurrency(threads);
sharp.cache(false);

const [side, across, down] = [768, 4, 3];
// The search for better codes is off, as it is with every peer.
const options = { quality: 90, chromaSubsampling: "4:2:0", optimiseCoding: false };

async function tiles() {
  const { data, info } = await sharp(photo).resize(side * across).raw()
    .toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const tile = (at) => sharp(data, { raw })
    .extract({ left: (at % across) * side, top: Math.floor(at / across) * side, width: side, height: side })
    .jpeg(options).toBuffer();
  const all = [...Array(across * down).keys()];
  if (threads > 1) return Promise.all(all.map(tile));
  const parts = [];
  for (const at of all) parts.push(await tile(at));
  return parts;
}

const small = async () => [await sharp(photo).resize(side).jpeg(options).toBuffer()];
const jobs = { tiles, small };

for await (const line of createInterface({ input: process.stdin })) {
  const [job, ...rest] = line.split(" ");
  const folder = rest.join(" ");
  const [wall, cpu] = [process.hrtime.bigint(), process.cpuUsage()];
  const parts = await jobs[job]();
  const spent = process.cpuUsage(cpu);
  const took = process.hrtime.bigint() - wall;
  if (folder !== "-") {
    parts.forEach((part, at) => writeFileSync(join(folder, `${String(at).padStart(2, "0")}.jpg`), part));
  }
  process.stdout.write(`ok ${took} ${(spent.user + spent.system) * 1000}\n`);
}
