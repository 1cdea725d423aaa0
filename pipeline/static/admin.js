// Keeps the page fresh: asks for it anew and puts in what has changed. Without this the page works all the same.
"use strict";

const EVERY_MS = 10000;
const link = document.getElementById("refresh");
const button = document.createElement("button");
button.type = "button";
button.id = "pause-refresh";
link.before(button);
let paused = false;

function label() {
  button.textContent = paused ? "Go on refreshing" : "Pause refreshing";
}

// Somebody works in it: types, has opened something, or has the keyboard's focus there.
function isInUse(section) {
  const typed = [...section.querySelectorAll("textarea")].some((area) => area.value !== "");
  return typed || section.contains(document.activeElement) || section.querySelector("details[open]") !== null;
}

async function refresh() {
  if (paused || document.hidden) return;
  let fresh;
  try {
    const answer = await fetch("/admin", { credentials: "same-origin" });
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    document.getElementById("at").textContent = "The server cannot be reached; what you see is old.";
    return;
  }
  if (!fresh.getElementById("services")) {
    // The sign-in has ended, or Redis is away: the page that came says which.
    window.location.assign("/admin");
    return;
  }
  document.title = fresh.title;
  for (const section of document.querySelectorAll("[data-live]")) {
    const anew = fresh.getElementById(section.id);
    if (anew && !isInUse(section) && section.innerHTML !== anew.innerHTML) section.replaceChildren(...anew.childNodes);
  }
}

button.addEventListener("click", () => {
  paused = !paused;
  label();
  refresh();
});
label();
setInterval(refresh, EVERY_MS);
// So that a reload does not say again what was done before.
if (window.location.search) window.history.replaceState(null, "", "/admin");
