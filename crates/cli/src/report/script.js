// Sorting and filtering of the table of files; everything else works without a script.
"use strict";
(() => {
  const list = document.getElementById("list");
  const rows = list ? [...list.tBodies[0].rows] : [];

  const compare = (key) => {
    if (key === "kind") return (a, b) => a.dataset.kind.localeCompare(b.dataset.kind);
    return (a, b) => Number(a.dataset[key]) - Number(b.dataset[key]);
  };

  // Equal rows stay in the order of their paths, whichever way the others run.
  const sort = (button) => {
    const head = button.closest("th");
    const numbers = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const first = numbers ? "descending" : "ascending";
    const other = numbers ? "ascending" : "descending";
    const order = before === first ? other : first;
    for (const cell of head.parentElement.cells) {
      if (cell.hasAttribute("aria-sort")) cell.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const by = compare(button.dataset.key);
    const place = compare("name");
    rows.sort((a, b) => sign * by(a, b) || place(a, b));
    list.tBodies[0].append(...rows);
  };

  const filter = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const told = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => told.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    const all = rows.length.toLocaleString("en");
    document.getElementById("shown").textContent =
      words.length ? `${shown.toLocaleString("en")} of ${all} shown` : `${all} listed`;
  };

  if (list) {
    for (const button of list.querySelectorAll("thead button")) {
      button.addEventListener("click", () => sort(button));
    }
    const field = document.getElementById("filter");
    field.addEventListener("input", () => filter(field.value));
    document.querySelector(".controls").hidden = false;
    filter(field.value);
  }

  // What is folded away would not be printed.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });

  // With #selftest the page tries itself and says what it found, in an attribute and to
  // a page that embeds it, for tests that drive a browser.
  if (location.hash === "#selftest") {
    addEventListener("load", () => {
      const root = document.documentElement;
      const order = () => [...list.tBodies[0].rows].map((row) => row.dataset.tokens).join(" ");
      const found = { rows: rows.length, overflow: root.scrollWidth - innerWidth, width: innerWidth };
      if (list) {
        const before = order();
        const tokens = list.querySelector("button[data-key=tokens]");
        sort(tokens);
        found.ascending = order() !== before || rows.length < 2;
        sort(tokens);
        found.restored = order() === before;
        filter(rows[0].querySelector(".name").textContent.split(/\s+/)[0]);
        found.filtered = rows.filter((row) => !row.hidden).length;
        filter("");
      }
      root.dataset.selftest = JSON.stringify(found);
      if (parent !== window) parent.postMessage(root.dataset.selftest, "*");
    });
  }
})();
