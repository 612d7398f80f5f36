// The contents beside the text show where one is: the link of the section that is read is the current one.
// Part of a page, in one script with pad.js (see page.py); without it the page's style marks the place where a browser can.

const LINE = 0.2; // of the window's height from its top: what has begun above it is read

/** Mark the link, in a table of contents, to the section that is read. */
export function guide(contents) {
  const links = new Map();
  for (const link of contents.querySelectorAll("a[href^='#']")) {
    const section = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (section) links.set(section, link);
  }
  const back = document.querySelector(".back"); // the bar that leads here where the contents are out of sight
  let marked, waiting = false;
  function mark() {
    waiting = false;
    const { scrollHeight, clientHeight, scrollTop } = document.documentElement, left = scrollHeight - clientHeight - scrollTop;
    const line = Math.max(LINE * clientHeight, clientHeight - left); // at the page's end the last section is read
    const current = links.get([...links.keys()].findLast((section) => section.getBoundingClientRect().top <= line));
    if (current === marked) return;
    marked?.removeAttribute("aria-current");
    current?.setAttribute("aria-current", "location");
    marked = current;
    if (back) back.dataset.at = current?.textContent ?? "";
    if (current && contents.scrollHeight > contents.clientHeight) { // the contents scroll by themselves
      contents.scrollTop = current.offsetTop - contents.clientHeight / 2;
    }
  }
  const soon = () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  };
  contents.classList.add("guided"); // the style need not find the place
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  mark();
}
