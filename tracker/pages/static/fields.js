// The buttons of the rows of an event's form, without a round trip to the server.
const form = document.querySelector('form.event')
const list = form.querySelector('ol.fields')
const blank = document.getElementById('blank').innerHTML
const count = form.querySelector('[data-count]')
const most = Number(form.dataset.most)

function say (text) {
  count.textContent = text || `${list.children.length} of at most ${most}`
}

function nameOf (row) {
  return row.querySelector('.key input').value || 'This field'
}

function add () {
  if (list.children.length >= most) return say(`There can't be more than ${most}.`)
  const tokens = [...list.children].map((row) => Number(row.dataset.row))
  // Nothing in the blank row was typed by anybody.
  list.insertAdjacentHTML('beforeend', blank.replaceAll('NEW', Math.max(-1, ...tokens) + 1))
  say()
  list.lastElementChild.querySelector('.key input').focus()
}

function remove (row) {
  const next = row.nextElementSibling || row.previousElementSibling
  row.remove()
  say()
  const button = next && next.querySelector('button[value^=delete]')
  const to = button || document.getElementById('add')
  to.focus()
}

function move (row, button, up) {
  const other = up ? row.previousElementSibling : row.nextElementSibling
  if (other && up) other.before(row)
  else if (other) other.after(row)
  button.focus()
  const place = [...list.children].indexOf(row) + 1
  say(`${nameOf(row)} is number ${place} of ${list.children.length}`)
}

form.addEventListener('click', (event) => {
  const button = event.target.closest('button[name=action]')
  const [action, token] = button ? button.value.split('-') : []
  if (!['add', 'delete', 'up', 'down'].includes(action)) return
  event.preventDefault()
  const row = list.querySelector(`[data-row="${token}"]`)
  if (action === 'add') add()
  else if (action === 'delete') remove(row)
  else move(row, button, action === 'up')
})
