// Answers simulations of @cloud-copilot/iam-simulate: a JSON list of them on each line of standard
// input, on each line of standard output their results and the milliseconds of CPU they took.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const { runSimulation } = require("@cloud-copilot/iam-simulate");

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  const started = process.cpuUsage();
  const results = [];
  for (const one of given) {
    const said = await runSimulation(one, { simulationMode: "Strict" });
    results.push(said.overallResult ?? JSON.stringify(said.errors));
  }
  const used = process.cpuUsage(started);
  console.log(JSON.stringify({ results, milliseconds: (used.user + used.system) / 1000 }));
}
