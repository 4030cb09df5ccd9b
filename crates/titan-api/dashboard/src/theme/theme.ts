// Mantine's theme: the accent and the two colours that buttons may have besides it. State colours live in tokens.css.
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const accent: MantineColorsTuple = [
  '#eef3ff',
  '#dce6ff',
  '#b8cbff',
  '#93b1ff',
  '#7aa2ff',
  '#5b86f5',
  '#3b6ae8',
  '#1d4ed8',
  '#1a43b8',
  '#163795',
];
const bad: MantineColorsTuple = [
  '#fdecf0',
  '#fbd5dd',
  '#f5a9b9',
  '#ff8f8f',
  '#ff6b6b',
  '#d83a5c',
  '#bd2348',
  '#9f1239',
  '#870f30',
  '#6d0c27',
];
const good: MantineColorsTuple = [
  '#e3f6f0',
  '#c4ebdf',
  '#8fdbc3',
  '#59dab1',
  '#2fd6a3',
  '#12a57f',
  '#047d5f',
  '#007a5e',
  '#00664f',
  '#00523f',
];

/** Mantine's own dark greys, replaced by ours: fields, menus and borders take theirs from here. */
const dark: MantineColorsTuple = [
  '#e6e9ee',
  '#b8c0cc',
  '#a3aebd',
  '#7e8a9a',
  '#343b47',
  '#262c36',
  '#1d2129',
  '#191d24',
  '#14171c',
  '#0f1216',
];

export const theme = createTheme({
  primaryColor: 'accent',
  colors: { accent, bad, good, dark },
  // White text stays readable on both shades.
  primaryShade: { light: 7, dark: 6 },
  fontFamily: 'var(--titan-font)',
  fontFamilyMonospace: 'var(--titan-mono)',
  defaultRadius: '6px',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '1.35', sm: '1.4', md: '1.43', lg: '1.5', xl: '1.4' },
  headings: {
    fontFamily: 'var(--titan-font)',
    fontWeight: '650',
    sizes: { h1: { fontSize: '20px', lineHeight: '28px' }, h2: { fontSize: '16px', lineHeight: '24px' } },
  },
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, multiline: true, maw: 320 } },
    // The header of a dialog is no banner of the page. A click beside it is a slip as often as not, and would throw away what
    // was typed.
    Modal: {
      defaultProps: {
        closeOnClickOutside: false,
        centered: true,
        transitionProps: { duration: 120 },
        attributes: { header: { role: 'presentation' } },
      },
    },
    Drawer: { defaultProps: { attributes: { header: { role: 'presentation' } } } },
    // A menu stays where its button is, also for those who hear the page.
    Menu: {
      defaultProps: { position: 'bottom-end', shadow: 'md', withinPortal: false, withInitialFocusPlaceholder: false },
    },
  },
});
