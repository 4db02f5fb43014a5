// Menus close by a click elsewhere and by Escape, which leads back to their button.
const MENUS = 'details.menu[open], details.dots[open]'

document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll(MENUS)) {
    if (!menu.contains(event.target)) menu.open = false
  }
})

document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && document.querySelector(MENUS)
  if (!menu) return
  menu.open = false
  menu.querySelector('summary').focus()
})
