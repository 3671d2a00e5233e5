// What the pages do beyond being read: they work without it.

// The viewer's own time, where it is not the server's.
const tell = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) time.title = new Date(time.dateTime).toLocaleString();
};
tell(document);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}

// "/" goes to the search, as in many places.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
  event.preventDefault();
  document.querySelector(".search input")?.focus();
});

// A live page is fetched again when something happened, at most once in two seconds, and only what changed is exchanged, so that
// nothing flickers and no focus is lost.
const live = document.querySelectorAll("[data-live]");
if (live.length > 0 && "EventSource" in window) {
  let due = null;
  const refresh = async () => {
    due = null;
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(part.id);
      if (!next || next.innerHTML === part.innerHTML.replace(/ title="[^"]*"/g, "")) continue;
      if (part.contains(document.activeElement)) continue;
      part.replaceChildren(...next.childNodes);
      tell(part);
    }
  };
  const soon = () => { due ??= setTimeout(() => refresh().catch(() => { due = null; }), 2000); };
  const events = new EventSource("/api/v1/events?after=now");
  for (const kind of ["failure", "ban", "unban", "operator"]) events.addEventListener(kind, soon);
  setInterval(soon, 30000);
  addEventListener("pagehide", () => events.close());
}

// Lines are tried as they are typed.
const trial = document.querySelector("form[data-try]");
if (trial) {
  let wait = null;
  let asked = 0;
  const ask = async () => {
    const turn = ++asked;
    const answer = await fetch(trial.action, { method: "POST", body: new URLSearchParams(new FormData(trial)), credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("tried") ?? page.querySelector("[role=alert]");
    if (turn === asked && next) document.getElementById("tried").replaceChildren(...(next.id ? next.childNodes : [next]));
  };
  trial.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(() => ask().catch(() => {}), 400); });
}
