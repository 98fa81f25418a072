// Draws the page's pictures with Vega as they come into view, in the colours that the reader's system asks for.
// Vega's expressions are interpreted (`ast`), never compiled: the page's policy allows no other script than its own.
(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const places = Array.from(document.querySelectorAll("[data-picture]"));
  const drawn = new Map();

  function look() {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink").trim();
    const faint = style.getPropertyValue("--faint").trim();
    const words = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      view: { stroke: "transparent" },
      axis: { ...words, domainColor: faint, tickColor: faint, gridColor: faint, gridOpacity: 0.4 },
      legend: words,
      header: words,
      title: { color: ink, subtitleColor: ink },
      text: { color: ink },
    };
  }

  async function draw(place) {
    const spec = JSON.parse(document.getElementById(place.dataset.picture).textContent);
    const options = {
      ast: true,
      renderer: "svg",
      logLevel: 1, // errors: that a field has no value in one of several pictures that are alike is none
      config: look(),
      tooltip: { theme: dark.matches ? "dark" : "light" },
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      downloadFileName: place.dataset.picture,
    };
    try {
      drawn.get(place)?.finalize();
      drawn.set(place, await window.vegaEmbed(place, spec, options));
      place.querySelector("summary")?.setAttribute("aria-label", "Save the picture");
      // Vega calls a layer of marks a symbol even where it has none, and so nothing to be read out.
      place.querySelectorAll('[role="graphics-symbol"]:empty:not([aria-label])').forEach((one) => one.removeAttribute("role"));
      place.dataset.drawn = "yes";
    } catch (error) {
      place.textContent = `This picture can't be drawn: ${error.message}`;
    }
  }

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) {
          seen.unobserve(target);
          draw(target);
        }
      }
    },
    { rootMargin: "800px" },
  );
  places.forEach((place) => seen.observe(place));
  dark.addEventListener("change", () => Array.from(drawn.keys()).forEach(draw));
  window.addEventListener("beforeprint", () => places.filter((place) => !drawn.has(place)).forEach(draw));
})();
