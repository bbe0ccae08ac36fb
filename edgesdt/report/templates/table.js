// The table of a sweep: sorts, filters, pages, copies and downloads what `sweep_table` wrote into the page.
"use strict";
(() => {
  const PAGE = 50;
  const PREFIXES = ["a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T"];

  // exact ties go to the even digit, as everywhere else on the page
  const fixed = (value, places) => {
    const exact = value.toFixed(60);
    const head = exact.slice(0, exact.indexOf(".") + (places ? 1 + places : 0));
    const tie = /^\.?50*$/.test(exact.slice(head.length)) && "02468".includes(head.at(-1));
    return tie ? head : value.toFixed(places);
  };
  const four = (value) => {
    const tie = Math.abs(value).toExponential(60).match(/^(\d\.\d\d[02468])50*(e.*)$/);
    return tie ? Math.sign(value) * Number(tie[1] + tie[2]) : Number(value.toPrecision(4));
  };
  const rounded = (value) => {
    const whole = Math.abs(value) >= 9999.5 && Math.abs(value) < 1e15;
    return whole ? Number(fixed(value, 0)).toLocaleString("en-US") : String(four(value));
  };
  const si = (value, unit, high) => {
    if (value === 0) return "0 " + unit;
    const power = 3 * Math.floor(Math.log10(Math.abs(four(value))) / 3 + 1e-12);
    const kept = Math.min(Math.max(power, -18), high);
    return rounded(kept >= 0 ? value / 10 ** kept : value * 10 ** -kept) + " " + PREFIXES[kept / 3 + 6] + unit;
  };
  const size = (bits) => {
    const whole = Math.round(bits);
    if (whole < 8192) return whole % 8 ? rounded(whole) + " bit" : rounded(whole / 8) + " B";
    let amount = whole / 8192;
    for (const unit of ["KiB", "MiB", "GiB"]) {
      if (amount < 1023.95) return rounded(amount) + " " + unit;
      amount /= 1024;
    }
    return rounded(amount) + " TiB";
  };
  const area = (mm2) => (mm2 > 0 && mm2 < 0.0009999 ? rounded(mm2 * 1e6) + " µm²" : rounded(mm2) + " mm²");

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  let controls = 0;
  const labelled = (label, control) => {
    control.id = "control-" + (controls += 1);
    return element("span", { className: "field" }, element("label", { htmlFor: control.id, textContent: label }), control);
  };

  const start = (box) => {
    const data = JSON.parse(box.querySelector("script").textContent);
    const forms = {
      percent: (v) => fixed(100 * v, data.places) + " %",
      energy: (v) => si(v, "J", 12),
      time: (v) => si(v, "s", 0),
      count: String,
      size, area,
    };
    const bar = box.querySelector(".controls");
    const table = box.querySelector("table");
    const told = box.querySelector(".told");
    const pager = box.querySelector(".pager");
    const state = { view: data.views[0], sort: null, down: false, page: 0, words: "", chosen: new Map(), least: null };

    const text = (column, row) => {
      const value = column.data[row];
      if (column.form === "coded") return column.texts[value];
      return value === null ? "–" : forms[column.form](value);
    };
    const raw = (column, row) => {
      const value = column.data[row];
      return column.form === "coded" ? column.raw[value] : value === null ? "" : value;
    };
    const numeric = (column) => column.form !== "coded" || column.raw.every((value) => typeof value === "number");
    const count = () => state.view.runs.length;

    const rows = () => {
      const { view, words, chosen, least } = state;
      const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
      const accuracy = view.columns.find((column) => column.form === "percent");
      const kept = [];
      for (let row = 0; row < count(); row += 1) {
        if (least !== null && !(accuracy.data[row] !== null && accuracy.data[row] >= least)) continue;
        if (view.columns.some((c) => chosen.has(c.name) && c.texts[c.data[row]] !== chosen.get(c.name))) continue;
        if (wanted.length) {
          const line = view.columns.map((column) => text(column, row)).join("\n").toLowerCase();
          if (!wanted.every((word) => line.includes(word))) continue;
        }
        kept.push(row);
      }
      const by = state.sort;
      if (by) {
        // coded values are in order already, where they have one
        const key = by.form === "coded" && !numeric(by) ? (row) => by.texts[by.data[row]] : (row) => by.data[row];
        const sign = state.down ? -1 : 1;
        kept.sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          if (x === null || y === null) return (x === null) - (y === null) || a - b; // nothing known: last
          return (x < y ? -sign : x > y ? sign : 0) || a - b;
        });
      }
      return kept;
    };

    const csv = () => {
      const quoted = (value) => (/[",\n\r]/.test(value) ? '"' + String(value).replaceAll('"', '""') + '"' : String(value));
      const { columns, runs } = state.view;
      const lines = [[...columns.map((column) => column.name), "run"]];
      for (const row of rows()) {
        lines.push([...columns.map((column) => raw(column, row)), runs[row].map((i) => data.links[i]).join(" ")]);
      }
      return lines.map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
    };

    const links = (row) => {
      const cell = element("td", { className: "runs" });
      for (const i of state.view.runs[row]) {
        const shown = data.seeds[i] === null ? "run" : "seed " + data.seeds[i];
        cell.append(data.links[i] ? element("a", { href: data.links[i], textContent: shown }) : shown, " ");
      }
      return cell;
    };

    const head = () => {
      const line = element("tr");
      for (const column of state.view.columns) {
        const button = element("button", { type: "button", textContent: column.title, title: column.name });
        button.addEventListener("click", () => {
          const again = state.sort === column;
          state.down = again ? !state.down : Boolean(column.up);
          Object.assign(state, { sort: column, page: 0 });
          show();
        });
        const cell = element("th", { scope: "col", className: numeric(column) ? "n" : "" }, button);
        cell.ariaSort = "none";
        line.append(cell);
      }
      line.append(element("th", { scope: "col", textContent: "run" }));
      table.tHead.replaceChildren(line);
    };

    const show = () => {
      const found = rows();
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      state.page = Math.min(state.page, pages - 1);
      const { columns } = state.view;
      columns.forEach((column, i) => {
        const sorted = state.sort === column ? (state.down ? "descending" : "ascending") : "none";
        table.tHead.rows[0].cells[i].ariaSort = sorted;
      });
      const shown = found.slice(state.page * PAGE, (state.page + 1) * PAGE);
      table.tBodies[0].replaceChildren(
        ...shown.map((row) => {
          const cells = columns.map((c) => element("td", { className: numeric(c) ? "n" : "", textContent: text(c, row) }));
          return element("tr", {}, ...cells, links(row));
        }),
      );
      const every = count().toLocaleString("en-US");
      const of = found.length === count() ? every : found.length.toLocaleString("en-US") + " of " + every;
      told.textContent = of + " rows" + (pages > 1 ? ", page " + (state.page + 1) + " of " + pages : "");
      const [back, on] = pager.querySelectorAll("button");
      back.disabled = state.page === 0;
      on.disabled = state.page === pages - 1;
      pager.hidden = pages === 1;
    };

    const choice = (label, options, choose) => {
      const list = element("select", {}, ...options.map((option) => element("option", { textContent: option })));
      list.addEventListener("change", () => {
        choose(list.selectedIndex, list.value);
        state.page = 0;
        show();
      });
      return labelled(label, list);
    };
    const field = (label, properties, choose) => {
      const input = element("input", properties);
      input.addEventListener("input", () => {
        choose(input.value);
        state.page = 0;
        show();
      });
      return labelled(label, input);
    };

    const filters = bar.querySelector(".filters");
    const build = () => {
      Object.assign(state, { sort: null, page: 0, chosen: new Map(), words: "", least: null });
      const coded = state.view.columns.filter((c) => c.form === "coded" && c.name !== "error" && c.texts.length > 1 && c.texts.length <= 20);
      filters.replaceChildren(
        field("containing", { type: "search", size: 14 }, (value) => (state.words = value)),
        field("accuracy at least (%)", { type: "number", min: 0, max: 100, step: "any" }, (value) => {
          state.least = value === "" ? null : Number(value) / 100;
        }),
        ...coded.slice(0, 8).map((column) =>
          choice(column.title, ["any", ...column.texts], (i, value) => {
            if (i) state.chosen.set(column.name, value);
            else state.chosen.delete(column.name);
          }),
        ),
      );
      head();
      show();
    };

    const views = choice("rows are", data.views.map((view) => view.title), (i) => {
      state.view = data.views[i];
      build();
    });
    bar.prepend(views);
    const [copy, save] = box.querySelectorAll(".take button");
    const done = box.querySelector(".take [role=status]");
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(csv());
        done.textContent = "copied";
      } catch {
        done.textContent = "the browser does not let this page copy; download instead";
      }
    });
    save.addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
      element("a", { href: address, download: box.dataset.file }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
      done.textContent = "saved as " + box.dataset.file;
    });
    const [back, on] = pager.querySelectorAll("button");
    back.addEventListener("click", () => { state.page -= 1; show(); });
    on.addEventListener("click", () => { state.page += 1; show(); });
    build();
    box.classList.add("live");
  };

  document.querySelectorAll(".explorer").forEach(start);
})();
