"use strict";
// Lets the headings of tables sort their rows, by pointer and by keyboard.
(() => {
  const MISSING = new Set(["", "n/a", "open", "unknown"]);

  function keyOf(text) {
    const plain = text.trim();
    if (MISSING.has(plain)) return { rank: 2, value: 0 };
    const number = Number(plain.replace(/[,%+]/g, ""));
    return Number.isNaN(number) ? { rank: 1, value: plain } : { rank: 0, value: number };
  }

  function compare(a, b, direction) {
    if (a.rank !== b.rank) return a.rank - b.rank; // what is missing stays below
    if (typeof a.value === "string") return direction * a.value.localeCompare(b.value);
    return direction * (a.value - b.value);
  }

  function sortBy(table, heading, column) {
    const before = heading.getAttribute("aria-sort");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [keyOf(row.cells[column].textContent), row]);
    // the largest number first, but names from A
    const falls = before ? before === "ascending" : rows.some(([key]) => key.rank === 0);
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", falls ? "descending" : "ascending");
    rows.sort(([a], [b]) => compare(a, b, falls ? -1 : 1));
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sortBy(table, heading, column));
      heading.replaceChildren(button);
    });
  }
})();
