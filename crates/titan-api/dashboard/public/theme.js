// Sets the colour scheme before the first paint. It is a file of its own because the content policy forbids inline
// scripts; the key and the attribute are the ones Mantine uses.
(() => {
  let choice = null;
  try {
    choice = window.localStorage.getItem('mantine-color-scheme-value');
  } catch {
    // Storage may be forbidden; the system's setting is used then.
  }
  const dark = choice === 'dark' || (choice !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
