// Answers simulations of @cloud-copilot/iam-simulate: a JSON list of them on each line of standard
// input, on each line of standard output their results and the milliseconds of CPU they took.
// With `remember`, what it finds of an action and an ARN, whatever the policies, is found once: that
// takes most of its time, and the results are the same.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);
const { runSimulation } = require("@cloud-copilot/iam-simulate");
const [, , folder, remember] = process.argv;

if (remember) {
  const parts = `${folder}/node_modules/@cloud-copilot/iam-simulate/dist/cjs/simulation_engine`;
  remembered(require(`${parts}/resourceTypes.js`), "getResourceTypesForAction");
  remembered(require(`${parts}/contextKeys.js`), "allowedContextKeysForRequest");
}

function remembered(module, name) {
  const [found, original] = [new Map(), module[name]];
  module[name] = (...given) => {
    const key = JSON.stringify(given);
    if (!found.has(key)) found.set(key, original(...given));
    return found.get(key);
  };
}

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
