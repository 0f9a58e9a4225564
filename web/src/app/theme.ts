import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const kName = 'ghm.theme';

function stored(): Theme {
  try {
    const theme = localStorage.getItem(kName);
    return theme === 'light' || theme === 'dark' ? theme : 'auto';
  } catch {
    return 'auto';
  }
}

export const theme = signal<Theme>(stored());
const system = matchMedia('(prefers-color-scheme: dark)');

/** Grows whenever colours change; canvases read it to know that they must draw again. */
export const paintVersion = signal(0);

export function startTheme(): void {
  system.addEventListener('change', () => paintVersion.value++);
  effect(() => {
    const chosen = theme.value;
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try {
      if (chosen === 'auto') localStorage.removeItem(kName);
      else localStorage.setItem(kName, chosen);
    } catch {
      // Not kept, but shown.
    }
    paintVersion.value = paintVersion.peek() + 1;
  });
}
