// Where a picture goes: into the guide if that shows it, else to `target/pictures`, to be looked at.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const guide = fs.readFileSync(path.join(root, "docs/guide/dashboard.md"), "utf8");
const others = path.join(root, "target/pictures");

export function placeOf(shots, name) {
  const file = `${name}.png`;
  if (guide.includes(`(dashboard/${file})`)) return path.join(shots, file);
  fs.mkdirSync(others, { recursive: true });
  return path.join(others, file);
}
