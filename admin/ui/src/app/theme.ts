import { createTheme, localStorageColorSchemeManager } from '@mantine/core';

const overlayProps = { backgroundOpacity: 0.3 };

/** Sizes and defaults; colours stand in tokens.css. */
export const theme = createTheme({
  primaryColor: 'teal',
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs', hideControls: true } },
    Textarea: { defaultProps: { size: 'xs', autosize: true, minRows: 2, maxRows: 12 } },
    JsonInput: { defaultProps: { size: 'xs', autosize: true, minRows: 3, maxRows: 14, formatOnBlur: true } },
    Select: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'sm' } } },
    MultiSelect: { defaultProps: { size: 'xs', comboboxProps: { shadow: 'sm' } } },
    TagsInput: { defaultProps: { size: 'xs' } },
    Autocomplete: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    // Locking the scroll makes a style element at run time, which the content security policy forbids.
    Modal: {
      defaultProps: {
        lockScroll: false,
        overlayProps,
        centered: true,
        radius: 8,
        transitionProps: { duration: 120 },
      },
    },
    Drawer: {
      defaultProps: {
        lockScroll: false,
        overlayProps,
        position: 'right',
        transitionProps: { duration: 140 },
      },
    },
    Menu: { defaultProps: { shadow: 'sm', position: 'bottom-end', transitionProps: { duration: 80 } } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: false, fz: 12 } },
  },
});

/** Light or dark is a view preference, the one thing that is kept in the browser. */
export const colourScheme = localStorageColorSchemeManager({ key: 'weir-colour-scheme' });
