// Sorts and filters the page's tables. It reads what stands in them, and writes text only.
(() => {
  "use strict";
  const NEXT = { none: "ascending", ascending: "descending", descending: "ascending" };
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  /** A cell's value: a number where it has one, else its text; null where it is empty. */
  function valueOf(cell) {
    if (cell.dataset.value !== undefined) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
    return cell.textContent === "" ? null : cell.textContent;
  }

  function compare(a, b) {
    return typeof a === "number" && typeof b === "number" ? a - b : words.compare(String(a), String(b));
  }

  /** Rows in the order of a column; what is missing comes last, whichever way. */
  function sort(table, column, direction) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [valueOf(row.cells[column]), row]);
    const sign = direction === "ascending" ? 1 : -1;
    rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
    for (const head of table.tHead.rows[0].cells) head.setAttribute("aria-sort", "none");
    table.tHead.rows[0].cells[column].setAttribute("aria-sort", direction);
  }

  /** Shows the rows that have every word somewhere, and says how many those are. */
  function filter(table, text, count) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = Array.from(table.tBodies[0].rows);
    let shown = 0;
    for (const row of rows) {
      const held = Array.from(row.cells, (cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !wanted.every((word) => held.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    const all = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
    count.textContent = wanted.length ? `${shown} of ${all}` : all;
  }

  for (const grid of document.querySelectorAll("[data-grid]")) {
    const table = grid.querySelector("table");
    const box = grid.querySelector("input");
    const count = grid.querySelector("output");
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        sort(table, column, NEXT[head.getAttribute("aria-sort")]);
      });
    });
    box.addEventListener("input", () => filter(table, box.value, count));
    filter(table, box.value, count);
  }
})();
