// Sign in with a name and a password, then go on to what was wanted.

import { tell } from "./link.js";
import { by, write } from "./nodes.js";
import { label, language, word } from "./words.js";

const query = new URLSearchParams(location.search);

/** Where to go afterwards: a view of this board, never another place. */
function onwards() {
  const wanted = new URLSearchParams(query.get("next") ?? "");
  wanted.set("lang", language);
  return `/?${wanted}`;
}

label();
document.title = `${word("sign_in.title")} · hackles`;
for (const link of document.querySelectorAll("#languages a")) {
  const other = new URLSearchParams(query);
  other.set("lang", link.lang);
  link.href = `?${other}`;
  if (link.lang === language) link.setAttribute("aria-current", "true");
}
by("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, password] = [by("name"), by("password")];
  if (!name.value || !password.value) {
    write(by("fault"), word("sign_in.missing"));
    (name.value ? password : name).focus();
    return;
  }
  try {
    await tell("/api/sign-in", { name: name.value, password: password.value });
    location.assign(onwards());
  } catch (error) {
    write(by("fault"), error.message);
    password.value = "";
    password.focus();
  }
});
by("name").focus();
