// Comma- or tab-separated text, with quotes, as spreadsheets copy and save it.

/** Rows of cells; empty lines are left out. */
export function readCsv(text) {
  const plain = text.replace(/^\ufeff/, "");
  const mark = plain.split("\n", 1)[0].includes("\t") ? "\t" : ",";
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let at = 0; at < plain.length; at++) {
    const letter = plain[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (plain[at + 1] === '"') { cell += '"'; at++; } else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === mark) { row.push(cell); cell = ""; } else if (letter === "\n") { row.push(cell); rows.push(row); row = []; cell = ""; } else if (letter !== "\r") cell += letter;
  }
  row.push(cell);
  rows.push(row);
  return rows.map((one) => one.map((value) => value.trim())).filter((one) => one.some((value) => value !== ""));
}
