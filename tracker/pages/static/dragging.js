// Dragging a row of a list by its handle, with a mouse, a pen or a finger.
const EDGE = 60 // pixels of the window from which on it scrolls

// `place(row, before, handle)` is called where a row is dropped; before is null at the end.
export function dragging (list, handles, place) {
  let drag = null

  list.addEventListener('pointerdown', (event) => {
    const handle = event.target.closest(handles)
    if (!handle || event.button || drag) return
    event.preventDefault() // no text is selected meanwhile
    handle.focus()
    handle.setPointerCapture(event.pointerId)
    drag = { handle, row: handle.closest('li'), id: event.pointerId, y: event.clientY, rows: rowsNow(), before: undefined }
  })

  // Where the rows are is asked for once: nothing on the page moves until one is dropped.
  function rowsNow () {
    return [...list.children].map((row) => {
      const box = row.getBoundingClientRect()
      return { row, middle: box.top + box.height / 2 + scrollY }
    })
  }

  function aim () {
    const found = drag.rows.find((one) => one.middle > drag.y + scrollY)
    mark(found ? found.row : null)
  }

  function look () {
    if (!drag) return
    const edge = drag.y < EDGE ? drag.y - EDGE : Math.max(0, drag.y - innerHeight + EDGE)
    if (edge) scrollBy({ top: edge / 4, behavior: 'instant' })
    aim()
    requestAnimationFrame(look)
  }

  function mark (before) {
    if (before === drag.before) return
    unmark()
    drag.before = before
    if (before) before.classList.add('drop')
    else list.classList.add('drop')
  }

  function unmark () {
    const marked = drag.before === null ? list : drag.before
    if (marked) marked.classList.remove('drop')
  }

  list.addEventListener('pointermove', (event) => {
    if (!drag || event.pointerId !== drag.id) return
    const begins = drag.before === undefined && Math.abs(event.clientY - drag.y) > 4
    if (drag.before === undefined && !begins) return
    drag.y = event.clientY
    if (!begins) return
    drag.row.classList.add('dragged')
    look()
  })

  function end (drop) {
    if (!drag) return
    if (drop && drag.before !== undefined) aim()
    const { row, before, handle } = drag
    unmark()
    row.classList.remove('dragged')
    drag = null
    if (drop && before !== undefined) place(row, before, handle)
  }

  list.addEventListener('pointerup', () => end(true))
  list.addEventListener('pointercancel', () => end(false))
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') end(false)
  })
}
