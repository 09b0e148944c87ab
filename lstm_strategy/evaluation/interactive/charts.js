"use strict";
// Unpacks bokeh, shows the charts in their places, and lets buttons, keys and the pointer work.
// Without it, or in a browser that can't unpack, the page keeps its still pictures.
(() => {
  const element = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  // The frame in a notebook that these charts fill; null on a page of their own.
  const frame = window.frameElement?.hasAttribute("data-charts") ? window.frameElement : null;
  const DAY = 86400000;
  const MOST_DATES = 10;
  const TRADE_WIDTH = 10; // pixels that a trade needs
  const NARROW = 560; // pixels, below which a box of all numbers would hide the panels
  const FLAT_MARGIN = 0.05; // above and below a line that never moves
  const SIX_DIGITS = { maximumSignificantDigits: 6 };
  const READ_AS = { close: "close", forecast: "forecast", low: "from", high: "to" };

  async function runLibrary() {
    const packed = Uint8Array.from(atob(element("chart-library").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  async function showCharts() {
    const { document: content, roots } = JSON.parse(element("chart-data").textContent);
    document.documentElement.classList.add("with-charts");
    const item = { docid: "charts", root_ids: Object.keys(roots), roots };
    await window.Bokeh.embed.embed_items({ charts: content }, [item]);
    return window.Bokeh.documents.at(-1);
  }

  function isModel(model, kind) {
    return model.type === kind || model.type?.endsWith(`.${kind}`);
  }

  // On a dark page the text is light; a notebook needn't follow the system in this.
  function isDark() {
    const [red, green, blue] = frame ? getComputedStyle(frame).color.match(/[\d.]+/g) : [];
    if (blue === undefined) return window.matchMedia("(prefers-color-scheme: dark)").matches;
    return 0.3 * red + 0.6 * green + 0.1 * blue > 128;
  }

  // In a notebook the charts take the place of the picture before them, at their full height.
  function fillTheFrame(paint) {
    frame.previousElementSibling.style.display = "none";
    new ResizeObserver(() => {
      frame.style.height = `${document.documentElement.offsetHeight}px`;
    }).observe(document.documentElement);
    const page = frame.ownerDocument;
    const repaint = new MutationObserver(() => setTimeout(paint, 100));
    for (const part of [page.documentElement, page.body]) {
      repaint.observe(part, { attributes: true }); // where notebooks name their theme
    }
  }

  function colourTheCharts(models) {
    const style = getComputedStyle(document.documentElement);
    const paint = () => {
      const dark = isDark();
      if (frame) {
        document.documentElement.dataset.theme = dark ? "dark" : "light";
        frame.style.colorScheme = dark ? "dark" : "light"; // or its ground would be opaque
      }
      const text = style.getPropertyValue("--soft").trim() || (dark ? "#9aa5b0" : "#59636e");
      const line = style.getPropertyValue("--line").trim() || (dark ? "#333b44" : "#d5dbe1");
      const market = dark ? "#e4e8ec" : "#1c2126";
      for (const model of models) {
        if (model.major_label_text_color !== undefined) {
          model.setv({
            axis_label_text_color: text, major_label_text_color: text, axis_line_color: line,
            axis_label_text_font_style: "normal",
          });
        } else if (isModel(model, "Grid")) {
          model.setv({ grid_line_color: line });
        } else if (model.line_color?.value === "#808081") {
          model.setv({ line_color: { value: market } });
        }
      }
    };
    paint();
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    if (frame) fillTheFrame(paint);
  }

  // The buttons of the lines that a chart shows.
  function shownIn(place) {
    const buttons = element(place)?.parentElement.querySelectorAll('[data-series][aria-pressed="true"]');
    return [...(buttons ?? [])];
  }

  // Strategies and markets are renderers of one name in every panel.
  function setVisible(models, name, visible) {
    for (const model of models) {
      if (model.name === name && model.visible !== undefined) model.visible = visible;
    }
  }

  function wireStrategies(models) {
    for (const button of all("[data-series]")) {
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        setVisible(models, button.dataset.series, shown);
      });
    }
    for (const choice of all(".market select")) {
      choice.addEventListener("change", () => {
        for (const option of choice.options) setVisible(models, option.value, option.selected);
      });
    }
  }

  // The line below a chart is read aloud, so that only one chart has any: the one in use.
  function writeBelow(chart, text) {
    for (const line of all(".chart-reading")) {
      line.textContent = chart?.contains(line) ? text : "";
    }
  }

  let touched = null; // the chart that was used last
  function noteUse() {
    for (const chart of all(".chart")) {
      for (const kind of ["focusin", "pointerdown", "wheel"]) {
        chart.addEventListener(kind, () => { touched = chart; }, { capture: true, passive: true });
      }
    }
  }

  // A mouse draws the span to look at; a finger must be able to scroll the page.
  function wireZoom(range, models) {
    if (window.matchMedia("(pointer: fine)").matches) {
      for (const tool of models.filter((model) => isModel(model, "BoxZoomTool"))) tool.active = true;
    }
    const [first, last] = [range.start, range.end];
    const show = (start, width) => {
      width = Math.min(Math.max(width, range.min_interval), last - first);
      start = Math.min(Math.max(start, first), last - width);
      range.setv({ start, end: start + width });
    };
    const acts = {
      in: (start, width) => show(start + width / 4, width / 2),
      out: (start, width) => show(start - width / 2, width * 2),
      left: (start, width) => show(start - width / 5, width),
      right: (start, width) => show(start + width / 5, width),
      all: () => show(first, last - first),
    };
    const act = (name) => acts[name](range.start, range.end - range.start);
    for (const button of all("[data-zoom]")) {
      button.addEventListener("click", () => act(button.dataset.zoom));
    }
    const keys = { ArrowLeft: "left", ArrowRight: "right", "+": "in", "=": "in", "-": "out", 0: "all" };
    for (const place of all(".chart-panels")) {
      place.addEventListener("keydown", (event) => {
        const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
        if (!(event.key in keys) || !(isPlain || event.key === "+")) return;
        event.preventDefault();
        act(keys[event.key]);
      });
    }
    for (const panel of models.filter((model) => isModel(model, "Figure"))) {
      panel.on_event("doubletap", () => act("all"));
    }
    let waiting = 0;
    range.change.connect(() => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const [from, to] = [range.start, range.end].map((at) => new Date(at).toISOString());
        writeBelow(touched, `Shown: ${from.slice(0, 10)} to ${to.slice(0, 10)}`);
      }, 250);
    });
  }

  function lastRowUntil(dates, x) {
    let [low, high] = [0, dates.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (dates[middle] <= x) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // Where a span was drawn, bokeh takes the height of that panel as chosen too, and keeps it.
  function freeHeights(models) {
    for (const { y_range } of models.filter((model) => isModel(model, "Figure"))) {
      if (!isModel(y_range, "DataRange1d") || !y_range.have_updated_interactively) continue;
      y_range.only_visible = false;
      y_range.only_visible = true; // a change of this lets it be fitted again
    }
  }

  // Bokeh leaves a logarithmic axis as it was, and takes all bars where a line has none in view.
  function wireHeights(range, models) {
    const source = models.find((model) => model.name === "series");
    if (source === undefined) return;
    const fitPanel = (panel, first, last) => {
      const isLog = panel === "growth";
      let [low, high] = [Infinity, -Infinity];
      for (const button of shownIn("chart-equity")) {
        for (const value of source.data[`${button.dataset.series}_${panel}`].slice(first, last + 1)) {
          if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
      if (low > high) return;
      const margin = 0.05 * (high - low) || FLAT_MARGIN;
      const ends = isLog ? [low / 1.03, high * 1.03] : [low - margin, high + margin];
      const axis = models.find((model) => model.name === `${panel}-range`);
      axis.setv({ start: ends[0], end: ends[1] });
    };
    const fit = () => {
      const { x } = source.data;
      const [first, last] = [lastRowUntil(x, range.start), lastRowUntil(x, range.end)];
      for (const panel of ["growth", "drawdown", "exposure"]) fitPanel(panel, first, last);
    };
    let waiting = 0;
    range.change.connect(() => {
      fit();
      clearTimeout(waiting);
      waiting = setTimeout(() => { // once bokeh has put the height back that a drag began with
        fit();
        freeHeights(models);
      });
    });
    for (const button of all("[data-series]")) button.addEventListener("click", fit);
    fit();
  }

  // As many dates as there is room for; bokeh takes as many on a phone as on a wide screen.
  function wireDates(range, models) {
    const panels = models.filter((model) => isModel(model, "Figure"));
    const fit = () => {
      for (const panel of panels) {
        const pixels = panel.inner_width / (range.end - range.start);
        for (const { ticker } of panel.below) {
          let wanted = MOST_DATES;
          while (wanted > 1 && !haveRoom(ticker, range, wanted, pixels)) wanted--;
          ticker.desired_num_ticks = wanted;
        }
      }
    };
    range.change.connect(fit);
    for (const panel of panels) panel.properties.inner_width.change.connect(fit);
    fit();
  }

  // Whether the dates of a ticker lie apart, by the pixels of a millisecond.
  function haveRoom(ticker, { start, end }, wanted, pixels) {
    const ticks = ticker.get_ticks_no_defaults(start, end, NaN, wanted).major;
    return ticks.slice(1).every((tick, place) => {
      const gap = tick - ticks[place];
      const needed = gap > 360 * DAY ? 40 : gap > 27 * DAY ? 62 : 48; // 2020; Jan 2020; 31 Jan
      return gap * pixels >= needed;
    });
  }

  // Marks of many trades would hide the price and each other. Where there is no room for all that
  // are in view, those with the largest profits and losses are marked.
  function wireTradeMarks(range, models) {
    const place = element("chart-price");
    const said = place.parentElement.querySelector(".chart-marked");
    const marks = models
      .filter((model) => isModel(model, "GlyphRenderer") && model.data_source.data.entry)
      .map((renderer) => ({ renderer, full: renderer.glyph.size?.value }));
    const fit = () => {
      const most = Math.max(Math.floor(place.clientWidth / TRADE_WIDTH), 10);
      for (const { renderer, full } of marks) {
        const { entry, exit, rank } = renderer.data_source.data;
        const inView = [];
        for (let row = 0; row < entry.length; row++) {
          if (entry[row] <= range.end && exit[row] >= range.start) inView.push(row);
        }
        const chosen = inView.sort((one, other) => rank[one] - rank[other]).slice(0, most);
        renderer.view.filter.indices = chosen;
        const room = place.clientWidth / Math.max(chosen.length, 1);
        if (full) renderer.glyph.size = { value: full * Math.min(1, Math.max(room / 20, 0.5)) };
        if (!renderer.visible) continue;
        said.textContent = chosen.length === inView.length ? "" :
          `Of ${inView.length} trades in view ${chosen.length} are marked, those with the largest ` +
          "profits and losses: zoom in to see more.";
      }
    };
    range.change.connect(fit);
    for (const choice of all(".market select")) choice.addEventListener("change", fit);
    new ResizeObserver(fit).observe(place);
    fit();
  }

  function percent(share) {
    return `${((Math.round(1000 * share) + 0) / 10).toFixed(1)}%`;
  }

  // All numbers of each strategy, or on a narrow page that of the panel which is pointed at.
  function readStrategies(data, row, only) {
    return shownIn("chart-equity").flatMap((button) => {
      const [growth, fall, held] = ["growth", "drawdown", "exposure"].map(
        (panel) => data[`${button.dataset.series}_${panel}`][row],
      );
      if (!Number.isFinite(growth)) return [];
      const parts = { growth: `growth ${growth.toFixed(2)}`, drawdown: `drawdown ${percent(fall)}` };
      if (Number.isFinite(held)) parts.exposure = `exposure ${percent(held)}`;
      const said = only === undefined ? Object.values(parts) : [parts[only] ?? `${only} n/a`];
      return [`${button.textContent}: ${said.join(", ")}`];
    });
  }

  function readMarkets(source, x) {
    if (source === undefined) return "";
    const { data } = source;
    const row = lastRowUntil(data.x, x);
    const parts = shownIn("chart-markets").map(
      (button) => `${button.textContent} ${percent(data[button.dataset.series][row])}`,
    );
    return sayReading(data.x[row], parts);
  }

  // Price and forecast of the market that is shown; its bars needn't be those of the strategies.
  function readPrice(sources, x) {
    const market = document.querySelector(".market select")?.value ?? "m0";
    const { data } = sources.get(`${market}-price`);
    const row = lastRowUntil(data.x, x);
    if (data.x[row] > x) return "";
    const parts = ["close", "forecast", "low", "high"]
      .filter((name) => Number.isFinite(data[name]?.[row]))
      .map((name) => `${READ_AS[name]} ${data[name][row].toLocaleString("en-US", SIX_DIGITS)}`);
    return sayReading(data.x[row], parts);
  }

  function sayReading(x, parts) {
    const date = new Date(x).toISOString().replace("T00:00:00.000Z", "");
    return `${date.slice(0, 16).replace("T", " ")}: ${parts.join("; ")}`;
  }

  // Puts a text beside the pointer, on the side that has more room; on a narrow page above it, so
  // that neither a finger nor the panels below are covered.
  function showBeside(pointer, chart, reading) {
    const note = chart.querySelector(".chart-pointer");
    if (!note) return false;
    note.textContent = reading.replace(": ", "\n").replaceAll("; ", "\n");
    const box = chart.getBoundingClientRect();
    const [x, y] = [pointer.clientX - box.left, pointer.clientY - box.top];
    note.hidden = false;
    if (isNarrow(chart)) {
      const [most, above] = [box.width - note.offsetWidth, y - note.offsetHeight - 16];
      note.style.left = `${Math.min(Math.max(x - note.offsetWidth / 2, 0), most)}px`;
      note.style.right = note.style.maxWidth = "";
      note.style.top = `${above > 0 ? above : y + 16}px`;
      return true;
    }
    const isRight = x > box.width / 2;
    note.style.left = isRight ? "" : `${x + 16}px`;
    note.style.right = isRight ? `${box.width - x + 16}px` : "";
    note.style.maxWidth = `${(isRight ? x : box.width - x) - 20}px`;
    note.style.top = `${y + 16}px`;
    return true;
  }

  function isNarrow(chart) {
    return chart.clientWidth < NARROW;
  }

  // The numbers at the pointer stand beside it; those at the bar that the keys have reached stand
  // in the line below the chart.
  function wireReadings(models) {
    const sources = new Map();
    for (const model of models) {
      if (isModel(model, "ColumnDataSource") && model.name) sources.set(model.name, model);
    }
    const { data } = sources.get("series");
    const range = models.find((model) => model.name === "time");
    let row = null; // none until a bar is pointed at or the keys have reached one
    let pointer = null;
    const readingOf = (chart, only) => {
      const readers = {
        "chart-equity": () => sayReading(data.x[row], readStrategies(data, row, only)),
        "chart-price": () => readPrice(sources, data.x[row]),
        "chart-markets": () => readMarkets(sources.get("markets"), data.x[row]),
      };
      return readers[chart.querySelector(".chart-panels").id]();
    };
    const firstInView = () => {
      const found = lastRowUntil(data.x, range.start);
      return Math.min(data.x[found] < range.start ? found + 1 : found, data.x.length - 1);
    };
    const hide = () => {
      for (const note of all(".chart-pointer")) note.hidden = true;
    };
    for (const place of all(".chart-panels")) {
      place.addEventListener("pointermove", ({ clientX, clientY }) => {
        pointer = { clientX, clientY, chart: place.parentElement };
      }, true); // before bokeh hears of it
      // what has been zoomed or moved is no longer below the pointer
      for (const kind of ["pointerleave", "pointerup", "wheel"]) {
        place.addEventListener(kind, hide, { passive: true });
      }
    }
    window.addEventListener("scroll", hide, { passive: true });
    for (const panel of models.filter((model) => isModel(model, "Figure"))) {
      panel.on_event("mousemove", (event) => {
        row = lastRowUntil(data.x, event.x);
        if (!pointer) return;
        const pointed = panel.y_range.name?.replace("-range", "") ?? "growth";
        const reading = readingOf(pointer.chart, isNarrow(pointer.chart) ? pointed : undefined);
        if (!showBeside(pointer, pointer.chart, reading)) writeBelow(pointer.chart, reading);
      });
    }
    for (const place of all(".chart-panels")) {
      place.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!event.shiftKey || step === undefined) return;
        event.preventDefault();
        if (row !== null) row = Math.min(Math.max(row + step, 0), data.x.length - 1);
        else row = step > 0 ? firstInView() : lastRowUntil(data.x, range.end);
        writeBelow(place.parentElement, readingOf(place.parentElement));
      });
    }
  }

  // Each panel of bokeh would be a stop of the Tab key that has no name.
  function leaveOutOfTabs(root) {
    for (const node of root.querySelectorAll("*")) {
      if (node.classList.contains("bk-events")) node.tabIndex = -1;
      if (node.shadowRoot) leaveOutOfTabs(node.shadowRoot);
    }
  }

  async function start() {
    if (!element("chart-data") || typeof DecompressionStream === "undefined") return;
    try {
      await runLibrary();
      const doc = await showCharts();
      const models = [...doc._all_models.values()];
      colourTheCharts(models);
      wireStrategies(models);
      wireZoom(models.find((model) => model.name === "time"), models);
      wireDates(models.find((model) => model.name === "time"), models);
      wireHeights(models.find((model) => model.name === "time"), models);
      wireTradeMarks(models.find((model) => model.name === "time"), models);
      wireReadings(models);
      noteUse();
      for (const place of all(".chart-panels")) leaveOutOfTabs(place);
      document.documentElement.dataset.charts = "ready";
    } catch (error) {
      document.documentElement.classList.remove("with-charts");
      console.error("The charts could not be shown; the pictures stay.", error);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
