// Copy buttons: each copies the text of the element that it names, and says so.
for (const button of document.querySelectorAll('[data-copy]')) {
  const text = document.getElementById(button.dataset.copy)
  const label = button.textContent
  let timer
  button.hidden = false
  button.setAttribute('aria-live', 'polite')
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text.textContent)
      button.textContent = 'Copied'
    } catch {
      // There is no clipboard without HTTPS, or it is not allowed: the text is at least selected.
      getSelection().selectAllChildren(text)
      button.textContent = 'Selected: press Ctrl+C'
    }
    clearTimeout(timer)
    timer = setTimeout(() => { button.textContent = label }, 2500)
  })
}
