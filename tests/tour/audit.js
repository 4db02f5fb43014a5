// Runs in a page, for tests: what there is to say against it.
({
  // Everything that can be focused by the keyboard and, focused, looks as if it weren't.
  withoutFocusStyle () {
    document.querySelectorAll('details').forEach((one) => { one.removeAttribute('name'); one.open = true })
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')
    const look = (one) => {
      const style = getComputedStyle(one)
      return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow].join()
    }
    const wrong = []
    for (const one of all) {
      if (one.tabIndex < 0 || one.disabled || one.type === 'hidden' || !one.checkVisibility()) continue
      document.activeElement.blur()
      const before = look(one)
      one.focus()
      const style = getComputedStyle(one)
      const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
      if (!one.matches(':focus-visible') || !outlined || look(one) === before) wrong.push(one.outerHTML.slice(0, 120))
    }
    return wrong
  },

  // How many pixels of the page can only be seen by scrolling sideways.
  overflow () {
    return document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth
  },

  // What moves, or would.
  moving () {
    const runs = document.getAnimations().filter((one) => one.playState === 'running').length
    const would = [...document.querySelectorAll('*')].filter((one) => {
      const style = getComputedStyle(one)
      return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none'
    })
    return [...(runs ? [`${runs} animations`] : []), ...would.map((one) => one.outerHTML.slice(0, 120))]
  }
})
